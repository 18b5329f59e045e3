"""Probes: inputs that make a bug visible, derived from the spec, seeded, and exact in their type.

Tolerance alone cannot see a misplaced eps or a lost decay. What parameters and gradients hold is in
`lanes`; hyperparameters are dyadic, so that rounding them costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from instep.conformance import norms
from instep.conformance.landscapes import evaluate
from instep.conformance.lanes import SEED, data, masked, slopes_of, touched_lanes, valley_data
from instep.conformance.profile import FLOAT_TYPES
from instep.spec.arguments import Hyperparameter, OptionValue, TypeEps
from instep.spec.arithmetic import Float64
from instep.spec.conditions import misshapen, violated
from instep.spec.gradients import needs_closure, reads_loss
from instep.spec.interpret import Interpreter
from instep.spec.ir import MatMul, Reduce, Sym, nodes, walk
from instep.spec.model import Algorithm
from instep.spec.options import resolve

SHAPES: tuple[tuple[int, ...], ...] = ((131,), (7, 9), ())
STEPS = 12
# A step that descends into a valley makes many evaluations: few of them, of few parameters.
_LONG_STEPS, _FEW, _EVALUATIONS = 4, 2, 16


@dataclass(frozen=True, slots=True)
class Probe:
    """One run to make: everything is exact in `dtype`, hyperparameters are by symbol.

    Attributes:
        gradients: per step, per parameter; None is a missing gradient. With `closure`, the centres
            of the landscape on which the subject evaluates gradients by itself.
        landscape, slopes: its kind, and its curvatures for every parameter.
        changes: {step: {symbol: value}}, applied to all groups before that step.
        groups: (parameter indices, {symbol: value}) of further parameter groups.
        touched: per step, per parameter, the lanes that a sparse gradient names, or with trailing
            axes of length one the rows; empty where gradients are dense.
        complex: whether the last axis holds real and imaginary parts of complex numbers.
        begun: steps that each parameter has behind it already, empty for none.
        states: per parameter, the states by symbol with which it begins then.
    """

    name: str
    dtype: str
    parameters: tuple[Any, ...]
    gradients: tuple[tuple[Any | None, ...], ...]
    hyperparameters: Mapping[str, float]
    options: Mapping[str, OptionValue]
    changes: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    groups: tuple[tuple[tuple[int, ...], Mapping[str, float]], ...] = ()
    closure: bool = False
    landscape: str = "bowl"
    slopes: tuple[Any, ...] = ()
    touched: tuple[tuple[Any, ...], ...] = ()
    complex: bool = False
    begun: tuple[int, ...] = ()
    states: tuple[Mapping[str, Any], ...] = ()

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.gradients)

    def value(self, symbol: str, step: int, parameter: int) -> float:
        """A hyperparameter as it stands for a parameter in a step."""
        value = self.hyperparameters[symbol]
        for indices, own in self.groups:
            value = own.get(symbol, value) if parameter in indices else value
        for when in sorted(self.changes):
            value = self.changes[when].get(symbol, value) if when <= step else value
        return value

    def cut(self, steps: int) -> Probe:
        """The same run, ended earlier."""
        return replace(self, gradients=self.gradients[:steps], touched=self.touched[:steps])

    def only(self, *chosen: int) -> Probe:
        """The same run with some of the parameters, in the order given."""

        def pick(x: Sequence[Any]) -> tuple[Any, ...]:
            return tuple(x[i] for i in chosen) if x else ()

        return replace(
            self,
            parameters=pick(self.parameters),
            gradients=tuple(map(pick, self.gradients)),
            slopes=pick(self.slopes),
            touched=tuple(map(pick, self.touched)),
            begun=pick(self.begun),
            states=pick(self.states),
        )


def dyadic(h: Hyperparameter) -> float:
    """The value at which a hyperparameter is probed: declared, or dyadic in its domain."""
    if h.probe is not None:
        return h.probe
    if h.domain.integer:
        return max(int(h.default), int(h.domain.lower), 2)
    if h.domain.upper <= 1 and (h.default >= 0.5 or h.default == 0):
        return 1 - 2.0 ** -(3 + 3 * (h.index or 0))
    if h.default == 0:
        return 0.125
    return float(2.0 ** max(round(np.log2(abs(h.default)) * 0.5), -20) * np.sign(h.default))


def fine(h: Hyperparameter, *, near: bool = False) -> float:
    """The dyadic value with 11 more bits: exact in float32, which half precision cannot hold.

    Rates of decay are moved away from 1, where 1 - b^t cancels less: the bound is sharper. `near`
    moves them less far, for what begins only with long averages.
    """
    plain = dyadic(h)
    if 0.5 < plain < 1 and h.domain.upper <= 1:
        first, apart = (0.75, 0.0625) if near else (0.625, 0.125)
        plain = first + apart * (h.index or 0)
    return with_more_bits(h, plain)


def with_more_bits(h: Hyperparameter, value: float) -> float:
    """A dyadic value and a 2048th of it; the value itself where the domain does not hold that."""
    more = value * (1 + 2.0**-11)
    return more if h.domain.contains(more) and not h.domain.integer else value


class ProbeFactory:
    """Makes the probes of one algorithm around a base configuration.

    Args:
        algorithm: the spec, seen through the dialect that is checked.
        base: base values by symbol.
        options: base options.
        fixed: symbols and options that must not be varied.
    """

    def __init__(
        self,
        algorithm: Algorithm,
        base: Mapping[str, float],
        options: Mapping[str, OptionValue],
        fixed: Iterable[str] = (),
    ) -> None:
        self.algorithm = algorithm
        self.base = dict(base)
        self.options = dict(options)
        self.fixed = frozenset(fixed)
        body = resolve(algorithm.body, self.options)
        self.closure = needs_closure(body)
        self.reduces = any(isinstance(node, Reduce) for node in nodes(body))
        self.decides = self.reduces and norms.decide(algorithm, body)

    def fix(self, symbol: str) -> None:
        """Keep a hyperparameter at its base value from here on."""
        self.fixed = self.fixed | {symbol}

    def probe_values(self) -> dict[str, float]:
        """Dyadic values for everything that may vary."""
        free = {h.name: dyadic(h) for h in self.algorithm.hyperparameters}
        return {**free, **{k: v for k, v in self.base.items() if k in self.fixed}}

    def fine_values(self, *, near: bool = False) -> dict[str, float]:
        """The same with more bits, to see hyperparameters squeezed through a narrow type."""
        free = {h.name: fine(h, near=near) for h in self.algorithm.hyperparameters}
        return {**free, **{k: v for k, v in self.base.items() if k in self.fixed}}

    def admissible(
        self, values: Mapping[str, float], options: Mapping[str, OptionValue]
    ) -> dict[str, float] | None:
        """Values that meet the requirements, as near to `values` as possible; None if none do."""
        broken = violated(self.algorithm, values, options)
        if not broken:
            return dict(values)
        mentioned = {n.name for r in broken for n in walk(r.condition) if isinstance(n, Sym)}
        names = sorted(mentioned - self.fixed)
        for choice in product(*(self._alternatives(name, values[name]) for name in names)):
            candidate = {**values, **dict(zip(names, choice, strict=True))}
            if not violated(self.algorithm, candidate, options):
                return candidate
        return None

    def possible(self, options: Mapping[str, OptionValue]) -> bool:
        """Whether some values near the probe's meet the requirements with these options."""
        chosen = {**self.options, **options}
        return self.admissible(self.probe_values(), chosen) is not None

    def admits(self, values: Mapping[str, float]) -> bool:
        """Whether the probe's values still meet domains and requirements with some replaced."""
        own = self.admissible(self.probe_values(), self.options) or self.probe_values()
        inside = all(self.algorithm.hyperparameter(k).domain.contains(v) for k, v in values.items())
        return inside and not violated(self.algorithm, {**own, **values}, self.options)

    def other_values(self, symbols: Iterable[str], *, whole: bool = False) -> dict[str, float]:
        """Another admissible dyadic value for each of some symbols, where there is one.

        Those of the whole optimizer have no other value in a group, only with `whole`.

        Every single one, and all together, meet the requirements.
        """
        own = self.admissible(self.probe_values(), self.options) or self.probe_values()
        out: dict[str, float] = {}
        for symbol in symbols:
            h = self.algorithm.hyperparameter(symbol)
            if symbol in self.fixed:
                continue
            for value in (own[symbol] / 2, own[symbol] * 2, dyadic(h), dyadic(h) / 2):
                trial = {**own, **out, symbol: value}
                fits = h.domain.contains(value) and value != own[symbol]
                if fits and not violated(self.algorithm, trial, self.options):
                    out[symbol] = int(value) if h.domain.integer else value
                    break
        return out

    def _alternatives(self, name: str, value: float) -> list[float]:
        h = self.algorithm.hyperparameter(name)
        options = [value, dyadic(h), h.default, 0.0]
        return [x for k, x in enumerate(options) if h.domain.contains(x) and x not in options[:k]]

    def make(
        self,
        name: str,
        *,
        values: Mapping[str, float] | None = None,
        options: Mapping[str, OptionValue] | None = None,
        dtype: str = "float64",
        shapes: Sequence[tuple[int, ...]] = SHAPES,
        steps: int = STEPS,
        calm: bool = False,
        sparse: bool | None = None,
        **more: Any,
    ) -> Probe:
        """A probe with the usual parameters and gradients; calm ones do not pause.

        Gradients are sparse where the spec takes no others, or as asked.
        Shapes that the spec excludes are replaced by others of about as many lanes.

        Raises:
            ValueError: no values near the given ones meet the spec's requirements.
        """
        chosen = {**self.options, **(options or {})}
        wanted = {**self.probe_values(), **(values or {})}
        admissible = self.admissible(wanted, chosen)
        if admissible is None:
            raise ValueError(f"no hyperparameters are admissible with {chosen}")
        admissible = {k: _of_type(v, dtype) for k, v in admissible.items()}
        body = resolve(self.algorithm.body, chosen)
        closure, valley = needs_closure(body), reads_loss(body)
        if valley:
            shapes = shapes[:_FEW]
            steps = steps if more.get("changes") else min(steps, _LONG_STEPS)
        elif self.reduces:
            pair = (2,) if more.get("complex") else ()
            own = (*norms.STILL, *(shape for shape, *_ in norms.ALIKE if self.decides))
            shapes = (*shapes, *((*shape, *pair) for shape in own))
        fitting = tuple(near_shape(self.algorithm, shape) for shape in shapes)
        if valley:
            parameters, gradients = valley_data(fitting, steps, dtype)
        else:
            parameters, gradients = self._spread(fitting, steps, dtype, calm=calm)
        slopes = tuple(slopes_of(p, dtype) for p in parameters) if closure else ()
        if sparse if sparse is not None else not self.algorithm.gradients.dense:
            more["touched"] = touched_lanes(fitting, steps, calm=calm)
            gradients = masked(gradients, more["touched"])
        probe = Probe(
            name,
            dtype,
            parameters,
            gradients,
            admissible,
            chosen,
            closure=closure,
            landscape="valley" if valley else "bowl",
            slopes=slopes,
            **more,
        )
        return self._shortened(probe) if valley and not probe.changes else probe

    def _spread(
        self, shapes: Sequence[tuple[int, ...]], steps: int, dtype: str, *, calm: bool
    ) -> tuple[tuple[Any, ...], tuple[tuple[Any, ...], ...]]:
        """Parameters and gradients of all sizes, and those that show what norms decide."""
        mixed = any(isinstance(n, MatMul) for n in nodes(self.algorithm.body))
        usual = len(shapes) - (len(norms.ALIKE) if self.decides else 0)
        parameters, gradients = data(shapes[:usual], steps, dtype, calm=calm, mixed=mixed)
        if self.reduces:
            parameters, gradients = norms.still(parameters, gradients)
        if self.decides:
            lanes, follow = norms.alike(shapes[usual:], steps, dtype, SEED + 3)
            parameters = (*parameters, *lanes)
            gradients = tuple((*a, *b) for a, b in zip(gradients, follow, strict=True))
        return parameters, gradients

    def _shortened(self, probe: Probe) -> Probe:
        """As many steps as it takes to evaluate the gradient often enough."""
        own = Float64()
        machine = Interpreter(
            self.algorithm,
            own,
            probe.parameters,
            options=probe.options,
            hyperparameters=probe.hyperparameters,
        )
        for t, centres in enumerate(probe.gradients, start=1):
            place = partial(evaluate, own, probe.landscape, centres=centres, slopes=probe.slopes)
            with np.errstate(all="ignore"):
                machine.step(oracle=place)
            if machine.evaluations >= _EVALUATIONS:
                return probe.cut(t)
        return probe


def _of_type(value: float, dtype: str) -> float:
    """The number that stands for the epsilon of a type where that is meant."""
    return 2 * FLOAT_TYPES[dtype].unit if isinstance(value, TypeEps) else value


def near_shape(algorithm: Algorithm, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape that the spec admits, with about as many lanes; this one if it is.

    Raises:
        ValueError: none of those that are tried.
    """
    lanes = max(1, int(np.prod(shape, dtype=np.int64)))
    long = min(lanes, int(2 * np.sqrt(lanes)))  # tall, as the scale of a matrix may depend on it
    short = max(1, lanes // long)
    matrices = ((long, short), (short, long), (short, short))
    for candidate in (shape, (lanes,), *matrices, (long, short, 1), (long, short, 1, 1), ()):
        if not misshapen(algorithm, candidate):
            return candidate
    message = algorithm.shapes[0].message
    raise ValueError(f"no shape like {shape} meets the spec's requirement: {message}")
