"""What a run of the equations gives: values, bounds, and the several results of open branches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from instep.conformance.bounded import Bounded
from instep.conformance.bounds import BoundedArithmetic
from instep.conformance.oracle import Model, Oracle
from instep.conformance.probes import Probe
from instep.conformance.profile import Profile
from instep.conformance.vectors.branching import Branching, Script
from instep.conformance.verdict import IN_STEP, SENSITIVITY
from instep.spec import ir
from instep.spec.ir import THETA
from instep.spec.model import Algorithm
from instep.spec.options import resolve

# More ways than these are told as one wide bound.
_MOST_WAYS = 27
Key = tuple[str, int | None]  # quantity and parameter, None for the whole optimizer
Run = list[dict[Key, Bounded]]


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity after one step.

    Attributes:
        allowed: by lane, all results that are in step, where there are several.
    """

    value: Any
    bound: Any
    allowed: dict[int, list[tuple[float, float]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expected:
    """Quantities after every step, and how many lanes of parameters could show an error."""

    steps: list[dict[Key, Quantity]]
    sharp: int
    boundless: int

    @property
    def open_lanes(self) -> int:
        """Lanes with several results."""
        return sum(len(q.allowed) for step in self.steps for q in step.values())

    @property
    def lanes(self) -> int:
        """All lanes."""
        return sum(int(np.size(q.value)) for step in self.steps for q in step.values())


def expected(algorithm: Algorithm, probe: Probe, profile: Profile) -> Expected:
    """Run a probe through the equations, on every way that rounding may take."""
    ways = _ways(algorithm, probe, profile)
    first = ways[0] if ways else _run(algorithm, probe, BoundedArithmetic(profile), profile)
    steps = []
    for t, values in enumerate(first):
        quantities = {}
        for key, x in values.items():
            others = [w[t][key] for w in ways[1:] if key in w[t]]
            quantities[key] = _quantity(x, others)
        steps.append(quantities)
    return Expected(steps, _sharp(probe, steps), _boundless(steps))


def _ways(algorithm: Algorithm, probe: Probe, profile: Profile) -> list[Run]:
    """A run for each way; none where they are too many, or depend on each other across lanes."""
    runs: list[Run] = []
    mixed = mixes_lanes(algorithm, probe)
    script: Script | None = Script()
    while script is not None:
        runs.append(_run(algorithm, probe, Branching(profile, script), profile, script))
        if len(runs) > _MOST_WAYS or (mixed and script.several):
            return []
        script = script.next()
    return runs


def mixes_lanes(algorithm: Algorithm, probe: Probe) -> bool:
    """Whether a lane depends on others."""
    body = resolve(algorithm.body, probe.options)
    return any(isinstance(n, ir.Reduce | ir.MatMul) for n in ir.nodes(body))


def _run(
    algorithm: Algorithm,
    probe: Probe,
    arithmetic: BoundedArithmetic,
    profile: Profile,
    script: Script | None = None,
) -> Run:
    oracle, out = Oracle(Model(algorithm), probe, profile, arithmetic), []
    for t in range(1, probe.steps + 1):
        if script is not None:
            script.begin()
        with np.errstate(all="ignore"):
            oracle.step(t)
        out.append(dict(_quantities(oracle)))
    return out


def _quantities(oracle: Oracle) -> Iterator[tuple[Key, Bounded]]:
    own = oracle.interpreter
    for i, slot in enumerate(own.slots):
        for name, x in {THETA: slot.theta, **slot.state}.items():
            if isinstance(x, Bounded):
                yield (name, i), x
    for name, x in own.optimizer_state.items():
        if isinstance(x, Bounded):
            yield (name, None), x


def _quantity(x: Bounded, others: Sequence[Bounded]) -> Quantity:
    value = np.asarray(x.value, dtype=np.float64)
    bound = np.broadcast_to(_finite(value, x.bound), value.shape)
    flat = [(np.ravel(value), np.ravel(bound))]
    for other in others:
        v = np.asarray(other.value, dtype=np.float64)
        flat.append((np.ravel(v), np.ravel(np.broadcast_to(_finite(v, other.bound), v.shape))))
    moved = {
        int(k) for v, b in flat[1:] for k in np.flatnonzero((v != flat[0][0]) | (b != flat[0][1]))
    }
    allowed = {k: _distinct([(float(v[k]), float(b[k])) for v, b in flat]) for k in sorted(moved)}
    return Quantity(value, bound, {k: found for k, found in allowed.items() if len(found) > 1})


def _finite(value: Any, bound: Any) -> Any:
    """No bound where there is no number."""
    return np.where(np.isfinite(value) & np.isfinite(bound), bound, np.inf)


def _distinct(results: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Results without those that another one admits already, widest bounds first."""
    kept: list[tuple[float, float]] = []
    for value, bound in sorted(set(results), key=lambda x: (-x[1], x[0])):
        if not any(abs(value - v) + IN_STEP * bound <= IN_STEP * b or b == np.inf for v, b in kept):
            kept.append((value, bound))
    return sorted(kept)


def _sharp(probe: Probe, steps: list[dict[Key, Quantity]]) -> int:
    """Lanes of parameters whose bounds are well below what the step changed."""
    before: dict[int | None, Any] = dict(enumerate(map(np.asarray, probe.parameters)))
    sharp = 0
    for quantities in steps:
        for (name, i), q in quantities.items():
            if name == THETA:
                with np.errstate(all="ignore"):
                    moved = np.abs(q.value - np.reshape(before[i], q.value.shape))
                    sharp += int(np.sum(IN_STEP * q.bound <= SENSITIVITY * moved))
                before[i] = q.value
    return sharp


def _boundless(steps: list[dict[Key, Quantity]]) -> int:
    return sum(int(np.sum(np.isinf(q.bound))) for step in steps for q in step.values())
