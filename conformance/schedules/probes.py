"""Probes for schedulers, derived from the specification so that its boundaries are seen.

Integers of a schedule are periods, milestones, patiences: probes are longer than all of them
together. Rates, factors and metrics are dyadic, so that ties are ties in every evaluation.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from instep.spec import ir
from instep.spec.arguments import Hyperparameter, OptionValue
from instep.spec.arithmetic import Float64
from instep.spec.conditions import violated
from instep.spec.interpret import Interpreter
from instep.spec.model import Algorithm, Schedule
from instep.spec.options import assignments, live_states

RATES = (0.5, 0.1875, 2.0)
LONGEST = 130
_MARGIN = 5
_ENOUGH = 48


def factor_of_epoch(epoch: int) -> float:
    """The function that the constructor gets: dyadic, never the same twice in a row."""
    return (1 + 5 * epoch % 8) / 8


@dataclass(frozen=True)
class Probe:
    """One run of a scheduler.

    Attributes:
        name: how a report calls it.
        values: hyperparameters by symbol.
        options: option values.
        lists: numbers of each list, by symbol.
        rates: learning rate of each parameter group before the schedule.
        epochs: steps of the scheduler after its construction.
        metrics: what each step receives, if the schedule has a metric.
        changes: {epoch: (group, rate)}, set by hand before the step to that epoch.
        optimizer: class of torch.optim that the scheduler is given.
        tensor: whether the rate is a tensor.
    """

    name: str
    values: Mapping[str, float]
    options: Mapping[str, OptionValue]
    lists: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    rates: tuple[float, ...] = RATES
    epochs: int = 12
    metrics: tuple[float, ...] = ()
    changes: Mapping[int, tuple[int, float]] = field(default_factory=dict)
    optimizer: str = "SGD"
    tensor: bool = False

    def inputs(self, algorithm: Algorithm, epoch: int, group: int) -> dict[str, Any]:
        """What a step to an epoch reads besides hyperparameters, by symbol."""
        found: dict[str, Any] = {}
        assert algorithm.schedule is not None
        for given in algorithm.schedule.given:
            match given.kind:
                case "group":
                    found[given.name] = self.rates[group]
                case "list":
                    found[given.name] = self.lists[given.name]
                case "function":
                    found[given.name] = factor_of_epoch(epoch)
                case "metric" if epoch > 0:
                    found[given.name] = self.metrics[(epoch - 1) % len(self.metrics)]
        return found


class ProbeFactory:
    """Makes probes around a base configuration.

    Args:
        algorithm: the specification.
        fixed: values by symbol that must not be varied.
        options: option values that must not be varied.
    """

    def __init__(
        self,
        algorithm: Algorithm,
        fixed: Mapping[str, float] | None = None,
        options: Mapping[str, OptionValue] | None = None,
        lists: Mapping[str, tuple[float, ...]] | None = None,
    ) -> None:
        self.algorithm = algorithm
        self.fixed, self.fixed_options = dict(fixed or {}), dict(options or {})
        self.fixed_lists = dict(lists or {})
        assert algorithm.schedule is not None
        self.schedule = algorithm.schedule
        self.has_metric = any(g.kind == "metric" for g in self.schedule.given)

    def make(
        self,
        name: str,
        values: Mapping[str, float] | None = None,
        options: Mapping[str, OptionValue] | None = None,
        **more: Any,
    ) -> Probe | None:
        """A probe with some values changed, None where the requirements do not admit them."""
        chosen = {h.name: _probe_value(h) for h in self.algorithm.hyperparameters}
        chosen |= {**(values or {}), **self.fixed}
        switched = {**self.algorithm.option_defaults(), **(options or {}), **self.fixed_options}
        if violated(self.algorithm, chosen, switched):
            return None
        lists = {g.name: g.probe for g in self.schedule.given if g.kind == "list"}
        lists |= self.fixed_lists
        more.setdefault("epochs", self._epochs(chosen, switched, lists))
        if self.has_metric:
            more.setdefault("changes", _raised_again(more["epochs"]))
            seed = more.pop("seed", 1)
            given = Probe(name, chosen, switched, lists, **more)
            more.setdefault("metrics", telling_metrics(self.algorithm, given, seed))
        return Probe(name, chosen, switched, lists, **more)

    def _epochs(
        self,
        values: Mapping[str, float],
        options: Mapping[str, OptionValue],
        lists: Mapping[str, tuple[float, ...]],
    ) -> int:
        """Three times all periods together, but not past the last epoch of the schedule."""
        periods = [values[h.name] for h in self.algorithm.hyperparameters if h.domain.integer]
        periods += [max(numbers) for numbers in lists.values() if numbers]
        wanted = min(int(3 * sum(periods)) + _MARGIN, LONGEST)
        if self.has_metric:  # nothing happens before metrics have been bad for a while, and again
            wanted = max(wanted, _ENOUGH)
        last = self.last(values)
        return wanted if last is None else min(wanted, last)

    def last(self, values: Mapping[str, float]) -> int | None:
        """The last epoch that the schedule speaks of."""
        if self.schedule.last is None:
            return None
        arithmetic = Float64()
        holder = Interpreter(self.algorithm, arithmetic, [], hyperparameters=values)
        return int(holder.evaluate(self.schedule.last))

    def entries(self) -> list[str]:
        """Entries of the group that the schedule writes under its default options."""
        options = {**self.algorithm.option_defaults(), **self.fixed_options}
        live = set(live_states(self.algorithm, options))
        return [name for name, _ in self.schedule.entries if name in live]

    # ---- families

    def default_values(self) -> dict[str, float]:
        """The defaults of the constructor."""
        return {h.name: float(h.default) for h in self.algorithm.hyperparameters}

    def fine_values(self) -> dict[str, float]:
        """Values that no type holds exactly, near the dyadic ones."""
        out = {}
        for h in self.algorithm.hyperparameters:
            value = float(_probe_value(h))
            near = value * 0.9
            out[h.name] = near if not h.domain.integer and h.domain.contains(near) else value
        return out

    def corners(self) -> Iterator[tuple[str, float]]:
        """(symbol, value) at the ends of each domain that belong to it, and small integers."""
        for h in self.algorithm.hyperparameters:
            ends = [h.domain.lower] * h.domain.lower_closed + [h.domain.upper] * (
                h.domain.upper_closed
            )
            four = 4 * _probe_value(h)
            others = [1, 2, 3, 5] if h.domain.integer else [0.0, 1.0, four]
            for value in dict.fromkeys([*ends, *others]):
                if h.domain.contains(value) and value != _probe_value(h):
                    yield h.name, value

    def pairs(self) -> Iterator[dict[str, float]]:
        """Two integers at once: 1 of the one, 3 of the other."""
        whole = [h for h in self.algorithm.hyperparameters if h.domain.integer]
        for a, b in itertools.permutations(whole, 2):
            if a.domain.contains(1) and b.domain.contains(3):
                yield {a.name: 1, b.name: 3}

    def other_options(self) -> Iterator[dict[str, OptionValue]]:
        """Every assignment of the options but that of the base probe."""
        base = {**self.algorithm.option_defaults(), **self.fixed_options}
        for chosen in assignments(self.algorithm):
            kept = all(chosen[k] == v for k, v in self.fixed_options.items())
            if chosen != base and kept:
                yield chosen


def _probe_value(h: Hyperparameter) -> float:
    return h.default if h.probe is None else h.probe


def _raised_again(epochs: int) -> dict[int, tuple[int, float]]:
    """The rate of the first group set by hand now and then, so that late reductions show too."""
    rates = itertools.cycle((0.5, 2.0, 0.1875))
    return {epoch: (0, next(rates)) for epoch in range(3, epochs + 1, 3)}


def telling_metrics(algorithm: Algorithm, probe: Probe, seed: int) -> tuple[float, ...]:
    """Metrics that lie on what the schedule compares them with, just beside it, and well away.

    The schedule itself, run along, says which values these are: those of the quantities that it
    compares a metric with, and of those that it assigns one to.
    """
    name = next(g.name for g in _schedule(algorithm).given if g.kind == "metric")
    near = _compared_with(algorithm, name)
    random = np.random.default_rng(seed)
    runner = Interpreter(
        algorithm, Float64(), [], options=probe.options, hyperparameters=probe.values
    )
    seen: dict[str, float] = {}
    metrics: list[float] = []

    def trace(equation: str, target: str, i: int | None, value: Any) -> None:
        if target in near and np.isfinite(value):
            seen[target] = float(value)

    ties = [0.0] * (3 if seed > 1 else 0)  # a tie that rounding may break leaves the rest open
    # Far from zero, where a threshold that is a share of the best metric changes its sense.
    start = -64.0 if seed % 3 == 0 else 64.0
    runner.step(inputs={**probe.inputs(algorithm, 0, 0)}, trace=trace)
    for _ in range(max(probe.epochs, 1)):
        around = list(seen.values()) or [start]
        shift = float(random.choice([*ties, -(2.0**-6), 2.0**-6, -0.5, 0.5, -2.0, 2.0]))
        metrics.append(float(random.choice(around)) + shift)
        inputs = {**probe.inputs(algorithm, 0, 0), name: metrics[-1]}
        with np.errstate(all="ignore"):
            runner.step(inputs=inputs, trace=trace)
    return tuple(metrics)


def _schedule(algorithm: Algorithm) -> Schedule:
    assert algorithm.schedule is not None
    return algorithm.schedule


def _compared_with(algorithm: Algorithm, metric: str) -> set[str]:
    """Symbols that a metric is compared with, or that a metric is assigned to."""
    names = {let.target.name for let in ir.lets(algorithm.body) if _takes(let.value, metric)}
    for node in ir.nodes(algorithm.body):
        match node:
            case ir.Compare(_, ir.Sym(a), ir.Sym(b)) if metric in (a, b):
                names |= {a, b} - {metric}
    return names


def _takes(value: ir.Expr, metric: str) -> bool:
    match value:
        case ir.Sym(name):
            return name == metric
        case ir.Where(_, a, b):
            return _takes(a, metric) or _takes(b, metric)
    return False


def walk(seed: int, length: int) -> tuple[float, ...]:
    """Metrics on a lattice of eighths: falling, resting, rising, often tied with a threshold."""
    random = np.random.default_rng(seed)
    value, out = 16.0, []
    for _ in range(max(length, 1)):
        value += float(random.choice([-2.0, -1.0, -1.0, -0.125, 0.0, 0.0, 0.0, 0.125, 1.0]))
        out.append(value)
    return tuple(out)


def hostile(length: int) -> tuple[float, ...]:
    """Metrics that are no numbers, or infinite, among others."""
    pattern = [float("nan"), 4.0, float("nan"), 3.0, float("inf"), 3.0, -float("inf"), 2.0, 2.0]
    return tuple(itertools.islice(itertools.cycle(pattern), max(length, 1)))


def reads_metric(algorithm: Algorithm) -> bool:
    """Whether steps receive a number."""
    return algorithm.schedule is not None and any(
        g.kind == "metric" for g in algorithm.schedule.given
    )
