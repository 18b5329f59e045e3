"""The oracle: the spec on values with bounds, beside a recording or from its own state.

Trajectory mode carries the oracle's state along, so the subject's may be opaque. Lockstep mode
starts every step from the parameters and states that the subject itself showed, so that the first
wrong quantity is seen where it is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from instep.conformance.bounded import Bounded
from instep.conformance.bounds import BoundedArithmetic
from instep.conformance.landscapes import evaluate
from instep.conformance.observe import Recording
from instep.conformance.probes import Probe
from instep.conformance.profile import Profile
from instep.conformance.spread import POINT, Spread
from instep.conformance.verdict import Lanes
from instep.spec import ir
from instep.spec.arguments import OptionValue
from instep.spec.arithmetic import Arithmetic
from instep.spec.interpret import Interpreter
from instep.spec.ir import THETA
from instep.spec.model import Algorithm

Reader = Callable[[str, int, int], Bounded | None]


@dataclass(frozen=True)
class Model:
    """What an oracle runs: an algorithm, or a mutant of one.

    Attributes:
        frozen: symbols that keep the value of construction, whatever groups and schedules say.
        distort: {symbol: function} applied to a hyperparameter's value wherever it is set.
        options: option values that hold whatever the probe asks for.
    """

    algorithm: Algorithm
    frozen: frozenset[str] = frozenset()
    distort: Mapping[str, Callable[[float], float]] | None = None
    options: Mapping[str, OptionValue] = field(default_factory=dict)

    def values(self, values: Mapping[str, float], *, later: bool = False) -> dict[str, float]:
        """Hyperparameters as this model sees them; `later` for groups and changes."""
        seen = {k: v for k, v in values.items() if not (later and k in self.frozen)}
        for symbol, function in (self.distort or {}).items():
            if symbol in seen:
                seen[symbol] = function(seen[symbol])
        return seen


@dataclass(frozen=True)
class Point:
    """Where the gradient is evaluated: a value per parameter, and the equation that gives it."""

    values: list[Any]
    equation: str


class Oracle:
    """One model on one probe, on values with bounds unless another number type is given."""

    def __init__(
        self, model: Model, probe: Probe, profile: Profile, arithmetic: Arithmetic | None = None
    ) -> None:
        self.model, self.probe = model, probe
        self.arithmetic = arithmetic or BoundedArithmetic(profile)
        self.interpreter = Interpreter(
            model.algorithm,
            self.arithmetic,
            probe.parameters,
            options={**probe.options, **model.options},
            hyperparameters=model.values(probe.hyperparameters),
            groups=[(i, model.values(v, later=True)) for i, v in probe.groups],
        )
        self._resume()
        self.defined_by: dict[str, str] = {}
        self.points: list[Point] = []
        self._assigned: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    def _resume(self) -> None:
        """Begin where the probe begins: after some steps, with the states that they left."""
        own = self.interpreter
        own.count = max(self.probe.begun, default=0)
        for slot, count in zip(own.slots, self.probe.begun, strict=False):
            slot.count = count
        for i, states in enumerate(self.probe.states):
            kept = {name: self.arithmetic.tensor(x) for name, x in states.items()}
            self.place(i, self.probe.parameters[i], kept)

    def step(self, t: int) -> None:
        """Step t of the probe, counted from 1.

        Afterwards `defined_by` tells each symbol's last equation, `values` what it gave (to the
        last parameter that has it), and `points` where the gradient was evaluated.
        """
        changes = self.model.values(self.probe.changes.get(t, {}), later=True)
        self.interpreter.set(changes)
        given = self.probe.gradients[t - 1]
        self.points, self._assigned = [], {}

        written: set[tuple[str, int | None]] = set()

        def trace(equation: str, target: str, i: int | None, value: Any) -> None:
            self.defined_by[target] = equation
            self._assigned.pop(target, None)
            self._assigned[target] = equation
            self.values[target] = value
            written.add((target, i))

        before = [{THETA: slot.theta, **slot.state} for slot in self.interpreter.slots]
        if self.probe.closure:
            self.interpreter.step(oracle=self._landscape(given), trace=trace)
        else:
            touched = self.probe.touched[t - 1] if self.probe.touched else None
            self.interpreter.step(given, touched, trace=trace)
        if isinstance(self.arithmetic, BoundedArithmetic):
            for i, (old, slot) in enumerate(zip(before, self.interpreter.slots, strict=True)):
                own = {name for name in old if (name, i) in written}
                slot.state.update(
                    {s: self.arithmetic.rewritten(old[s], slot.state[s]) for s in own - {THETA}}
                )
                if THETA in own:
                    slot.theta = self.arithmetic.rewritten(old[THETA], slot.theta)

    def _landscape(self, centres: tuple[Any, ...]) -> Any:
        probe = self.probe

        def gradient(points: list[Any]) -> tuple[Any, list[Any]]:
            self.points.append(Point(list(points), self._defining(self.interpreter.point)))
            return evaluate(self.arithmetic, probe.landscape, points, centres, probe.slopes)

        return gradient

    def _defining(self, point: ir.Expr) -> str:
        """The last equation that a point depends on, empty for where the step began."""
        names = {n.name for n in ir.walk(point) if isinstance(n, ir.Sym)}
        return next((e for name, e in reversed(self._assigned.items()) if name in names), "")

    def place(self, i: int, parameter: Any, states: Mapping[str, Any]) -> None:
        """Set a parameter and some of its states to what the subject showed.

        What belongs to the whole optimizer is carried along.
        """
        slot = self.interpreter.slots[i]
        slot.theta = self.arithmetic.tensor(parameter)
        own = {s.name for s in self.model.algorithm.states if s.scope == "parameter"}
        slot.state.update({name: x for name, x in states.items() if name in own})


def trajectory(
    model: Model, recording: Recording, profile: Profile, steps: int | None = None
) -> Iterator[list[Lanes]]:
    """Per step, the parameters of a recording against the oracle's own run."""
    oracle = Oracle(model, recording.probe, profile)
    spread = Spread(profile, partial(Oracle, model, recording.probe, profile))
    last = recording.steps if steps is None else min(steps, recording.steps)
    for t in range(1, last + 1):
        before = [slot.theta.value for slot in oracle.interpreter.slots]
        with np.errstate(all="ignore"):
            oracle.step(t)
        yield [_theta(oracle, spread, recording, t, i, x) for i, x in enumerate(before)]


def lockstep(
    model: Model, recording: Recording, profile: Profile, states: Sequence[str], read: Reader
) -> Iterator[list[Lanes]]:
    """Per step, mapped states and parameters against one oracle step from the subject's own.

    Args:
        model: what to run.
        recording: what the subject did.
        profile: where it may round.
        states: mapped state symbols, in data-flow order.
        read: function (symbol, step, parameter) -> Bounded or None, the subject's state after a
            step.
    """
    oracle = Oracle(model, recording.probe, profile)
    spread = Spread(profile, partial(Oracle, model, recording.probe, profile))
    for t in range(1, recording.steps + 1):
        for i, parameter in enumerate(recording.moments[t - 1].parameters):
            seen = {s: shaped(read(s, t - 1, i), parameter) for s in states}
            own = oracle.interpreter.slots[i].state
            kept = {s: v for s, v in seen.items() if v is not None and _fits(own.get(s), v)}
            oracle.place(i, parameter, kept if t > 1 else {})
            spread.place(t, i, parameter, kept if t > 1 else {})
        before = [dict(s.state, **{THETA: s.theta}) for s in oracle.interpreter.slots]
        with np.errstate(all="ignore"):
            oracle.step(t)
        out = list(_points(oracle, spread, recording, t))
        for symbol in states:
            for i in range(len(before)):
                got = shaped(read(symbol, t, i), recording.moments[t].parameters[i])
                lanes = _state(oracle, spread, symbol, got, t, i)
                if lanes is not None:
                    out.append(lanes)
        out += [
            _theta(oracle, spread, recording, t, i, b[THETA].value) for i, b in enumerate(before)
        ]
        yield out


def _points(oracle: Oracle, spread: Spread, recording: Recording, t: int) -> Iterator[Lanes]:
    """What the closure saw in a step, call by call, against where the gradient is evaluated."""
    calls = recording.calls.get(t - 1, ()) if oracle.probe.closure else ()
    asked = oracle.points[1:] if recording.primed else oracle.points
    if len(calls) != len(asked):
        return  # which of them is which cannot be said
    start = recording.moments[t - 1].parameters
    for k, (call, point) in enumerate(zip(calls, asked, strict=True), start=1 + recording.primed):
        for i, (got, x) in enumerate(zip(call.parameters, point.values, strict=True)):
            change = x.value - start[i].reshape(np.shape(x.value))
            got, name = got.reshape(np.shape(x.value)), f"{POINT}{k}"
            runs = partial(spread.values, name, t, i)
            yield Lanes(t, i, name, point.equation, got, x.value, x.bound, change, runs)


def _theta(
    oracle: Oracle, spread: Spread, recording: Recording, t: int, i: int, before: Any
) -> Lanes:
    theta = oracle.interpreter.slots[i].theta
    shape = np.shape(before)
    # A mutant may have made it one number for all lanes.
    value, bound = np.broadcast_to(theta.value, shape), np.broadcast_to(theta.bound, shape)
    got = recording.moments[t].parameters[i].reshape(shape)
    equation = oracle.defined_by.get(THETA, "update")
    runs = partial(spread.values, THETA, t, i)
    return Lanes(t, i, THETA, equation, got, value, bound, value - before, runs)


def shaped(got: Bounded | None, parameter: Any) -> Bounded | None:
    """A state in the parameter's shape, where a subject keeps it flat."""
    flat = got is not None and np.shape(got.value) == (np.size(parameter),)
    return _reshaped(got, np.shape(parameter)) if got is not None and flat else got


def _fits(own: Any, seen: Bounded) -> bool:
    """Whether the subject's state can take the oracle's place.

    A subject may keep a real one where its parameter is complex.
    """
    return not isinstance(own, Bounded) or np.shape(own.value) == np.shape(seen.value)


def _reshaped(x: Bounded, shape: tuple[int, ...]) -> Bounded:
    bound = np.asarray(x.bound)
    return Bounded(np.reshape(x.value, shape), bound.reshape(shape) if bound.ndim else x.bound)


def _state(
    oracle: Oracle, spread: Spread, symbol: str, got: Bounded | None, t: int, i: int
) -> Lanes | None:
    expected = oracle.interpreter.slots[i].state.get(symbol)
    if expected is None and i == 0:
        expected = _shared(oracle, symbol)
    if expected is None or got is None:
        return None
    equation = oracle.defined_by.get(symbol, symbol)
    value = np.asarray(expected.value)
    shown = np.asarray(got.value)
    if shown.shape != value.shape:
        if shown.size != value.size:
            return None
        got = _reshaped(got, value.shape)
        shown = np.asarray(got.value)
    bound = expected.bound + got.bound
    runs = partial(spread.values, symbol, t, i)
    return Lanes(t, i, symbol, equation, shown, value, np.asarray(bound), value, runs)


def _shared(oracle: Oracle, symbol: str) -> Bounded | None:
    """A state of the whole optimizer; anything where rounding decides about branches."""
    value = oracle.interpreter.optimizer_state.get(symbol)
    if not isinstance(value, Bounded):
        return None
    unsure = isinstance(oracle.arithmetic, BoundedArithmetic) and oracle.arithmetic.ambiguous
    return Bounded(value.value, np.inf) if unsure else value
