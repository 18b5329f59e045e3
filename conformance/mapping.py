"""Which of the subject's tensors is which state of the spec: by value, else by name.

The probe keeps all states distinct and changing. A leaf is a state when it agrees within bounds at
every step, as it is or under a transform with a known inverse; scales are restricted to those that
the spec itself declares (1 - b, 1 - b^t), so that a forgotten factor is not absorbed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from instep.conformance.bounded import Bounded
from instep.conformance.observe import Moment, Recording, as_array
from instep.conformance.oracle import Model, Oracle
from instep.conformance.profile import Profile
from instep.conformance.verdict import IN_STEP, SENSITIVITY
from instep.spec.model import Algorithm, State

Transform = Callable[[Any], Any]

# name -> (leaf to state, relative condition number of that map at a leaf x)
_TRANSFORMS: dict[str, tuple[Transform, Transform]] = {
    "": (lambda x: x, np.ones_like),
    "minus": (lambda x: -x, np.ones_like),
    "square root": (lambda x: x * x, lambda x: 2 * np.ones_like(x)),
    "square": (np.sqrt, np.ones_like),
    "logarithm": (np.exp, np.abs),
    "reciprocal": (lambda x: 1 / x, np.ones_like),
}


@dataclass(frozen=True, slots=True)
class Binding:
    """A state of the spec and where the subject keeps it.

    Attributes:
        path: the leaf's path in the subject.
        transform: how the leaf relates to the state, empty for identity.
        scale: text of the factor that the leaf carries, empty for one.
        confirmed: whether values agreed; otherwise only the name did.
        stepwise: whether they agreed in single steps only, from the subject's own state.
    """

    state: str
    path: str
    transform: str = ""
    scale: str = ""
    confirmed: bool = True
    stepwise: bool = False

    def describe(self) -> str:
        """One line for the report."""
        how = f"{self.transform} of it" if self.transform else ""
        times = f"times {self.scale}" if self.scale else ""
        basis = "by value" if self.confirmed else "by name only, the values differ"
        basis = "by name, and by value in every single step" if self.stepwise else basis
        notes = ", ".join(x for x in (how, times, basis) if x)
        return f"state {self.state} is the subject's {self.path} ({notes})"


class StateMap:
    """All bindings of one subject, and how to read a state out of a recording."""

    def __init__(self, algorithm: Algorithm, bindings: Mapping[str, Binding], unit: float) -> None:
        self.algorithm, self.bindings, self.unit = algorithm, dict(bindings), unit

    @property
    def all_confirmed(self) -> bool:
        """Whether values agreed everywhere."""
        return all(b.confirmed for b in self.bindings.values())

    def confirm(self, wrong: set[str]) -> StateMap:
        """Bindings that were found by name are right where every step agreed."""
        kept = {
            k: b if b.confirmed or k in wrong else replace(b, confirmed=True, stepwise=True)
            for k, b in self.bindings.items()
        }
        return StateMap(self.algorithm, kept, self.unit)

    def only_confirmed(self) -> StateMap:
        """The bindings whose values agreed."""
        kept = {k: b for k, b in self.bindings.items() if b.confirmed}
        return StateMap(self.algorithm, kept, self.unit)

    def reader(self, recording: Recording) -> Callable[[str, int, int], Bounded | None]:
        """A function (symbol, step, parameter) -> state with the error of reading it, or None."""

        def read(symbol: str, t: int, i: int) -> Bounded | None:
            binding = self.bindings.get(symbol)
            if binding is None or binding.path not in recording.moments[t].leaves[i]:
                return None
            leaf = as_array(recording.moments[t].leaves[i][binding.path])
            return _state_of(leaf, binding, recording, self.algorithm, t, i, self.unit)

        return read


def infer_mapping(
    model: Model,
    recording: Recording,
    profile: Profile,
    given: Mapping[str, str] | None = None,
) -> StateMap:
    """Match states to leaves on one recording.

    Args:
        model: the spec that the subject is held against.
        recording: a run on a probe where states are distinct and changing.
        profile: where the subject may round.
        given: {state symbol or key: leaf path}, which is taken as it is.
    """
    expected = _expected(model, recording, profile)
    bindings: dict[str, Binding] = {}
    seen = {name for states in expected for name, _ in states}
    for s in (s for s in model.algorithm.states if s.name in seen):
        binding = _given(s, given or {}) or _search(s, model, recording, expected, profile)
        if binding is not None:
            bindings[s.name] = binding
    return StateMap(model.algorithm, bindings, profile.compute.unit)


def _given(s: State, given: Mapping[str, str]) -> Binding | None:
    path = given.get(s.name, given.get(s.key))
    return None if path is None else Binding(s.name, path)


def _expected(
    model: Model, recording: Recording, profile: Profile
) -> list[dict[tuple[str, int], Bounded]]:
    """The oracle's states after every step."""
    oracle = Oracle(model, recording.probe, profile)
    out = []
    for t in range(1, recording.steps + 1):
        with np.errstate(all="ignore"):
            oracle.step(t)
        own = ((i, slot.state) for i, slot in enumerate(oracle.interpreter.slots))
        shared = (0, oracle.interpreter.optimizer_state)  # kept with the first parameter
        out.append(
            {
                (name, i): value
                for i, states in (*own, shared)
                for name, value in states.items()
                if isinstance(value, Bounded)
            }
        )
    return out


def _search(
    s: State,
    model: Model,
    recording: Recording,
    expected: list[dict[tuple[str, int], Bounded]],
    profile: Profile,
) -> Binding | None:
    paths = list(dict.fromkeys(p for leaves in recording.moments[-1].leaves for p in leaves))
    named = [p for name in (s.key, *s.aliases, s.name) for p in paths if _last(p) == name]
    ordered = list(dict.fromkeys([*named, *paths]))
    for transform, scale in ways(model.algorithm):
        for path in ordered:
            binding = Binding(s.name, path, transform, scale)
            if _agrees(binding, model, recording, expected, profile):
                return binding
    return Binding(s.name, named[0], confirmed=False) if named else None


def _last(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def ways(algorithm: Algorithm) -> Iterator[tuple[str, str]]:
    """How a leaf may hold a state, (transform, scale): as it is, transformed, scaled."""
    yield from ((t, "") for t in _TRANSFORMS)
    for h in algorithm.hyperparameters:
        if h.domain.lower == 0 and h.domain.upper <= 1:
            yield from (("", f"{form}(1 - {h.name}{power})") for form, power in _FORMS)


_FORMS = (("", ""), ("1/", ""), ("1/", "^t"), ("", "^t"))


def _factor(scale: str, recording: Recording, t: int, i: int) -> float:
    """The number by which a scaled leaf carries its state too large."""
    inverse, _, rest = scale.partition("(1 - ")
    symbol, _, power = rest.rstrip(")").partition("^")
    h = recording.probe.value(symbol, t, i)
    begun = recording.probe.begun
    made = max(t + (begun[i] if begun else 0), 1)
    value = 1 - (h**made if power else h)
    return 1 / value if inverse else value


def _state_of(
    leaf: Any,
    binding: Binding,
    recording: Recording,
    algorithm: Algorithm,
    t: int,
    i: int,
    unit: float,
) -> Bounded:
    to_state, condition = _TRANSFORMS[binding.transform]
    with np.errstate(all="ignore"):
        value = np.asarray(to_state(leaf), dtype=np.float64)
        value = _kept_axis(value, algorithm.state(binding.state), recording.moments[t], i)
        if binding.scale:
            value = value / _factor(binding.scale, recording, t, i)
        if not binding.transform and not binding.scale:
            return Bounded(value)
        return Bounded(value, 4 * unit * np.abs(value) * np.maximum(condition(leaf), 1.0))


def _kept_axis(value: Any, state: State, moment: Moment, i: int) -> Any:
    """A row or column state with its axis of length one, which the subject may leave out."""
    shape = np.shape(moment.parameters[i])
    if state.shape not in ("rows", "cols") or len(shape) < 2:
        return value
    axis = len(shape) - (1 if state.shape == "rows" else 2)
    without = (*shape[:axis], *shape[axis + 1 :])
    return np.expand_dims(value, axis) if value.shape == without else value


def _agrees(
    binding: Binding,
    model: Model,
    recording: Recording,
    expected: list[dict[tuple[str, int], Bounded]],
    profile: Profile,
) -> bool:
    """Whether a leaf is the state at every step, within bounds, and is not constant."""
    seen, changing = 0, False
    last: dict[int, Any] = {}
    for t, states in enumerate(expected, start=1):
        for i, leaves in enumerate(recording.moments[t].leaves):
            want = states.get((binding.state, i))
            if want is None or binding.path not in leaves:
                continue
            leaf = as_array(leaves[binding.path])
            got = _state_of(leaf, binding, recording, model.algorithm, t, i, profile.compute.unit)
            if np.shape(got.value) != np.shape(want.value):
                return False
            with np.errstate(all="ignore"):
                near = np.abs(got.value - want.value) <= IN_STEP * (want.bound + got.bound)
            # 1/0 has an infinite bound, and is near to everything.
            close = near & np.isfinite(got.value)
            usable = np.isfinite(want.bound)
            if not np.all(close | ~usable):
                return False
            changing = changing or (i in last and not np.array_equal(last[i], got.value))
            last[i] = got.value
            # A bound as wide as the value agrees with anything, and zero with whatever rests too.
            seen += int(np.sum(usable & (want.bound < SENSITIVITY * np.abs(want.value))))
    return seen > 0 and changing
