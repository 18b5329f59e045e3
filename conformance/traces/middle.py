"""Where a trace begins: with the first step, or in the middle of a training, from its own state.

There the states have to be known before anything can be judged. They are taken by name; where a
step shows that the tensor of that name holds the state in another form, that form is looked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from instep.conformance.bounded import Bounded
from instep.conformance.errors import UsageError
from instep.conformance.mapping import Binding, StateMap, ways
from instep.conformance.observe import Recording
from instep.conformance.oracle import Model, lockstep, shaped
from instep.conformance.profile import ORDER, grades
from instep.conformance.verdict import Severity, Tally
from instep.spec.errors import SpecError
from instep.spec.model import Algorithm, State
from instep.spec.options import live_states


def begin(
    recording: Recording, first: int | None, algorithm: Algorithm, given: Mapping[str, str]
) -> tuple[Recording, StateMap | None]:
    """The recording with what it begins with, and where it keeps states if that had to be known.

    Args:
        recording: steps as if they were the first ones.
        first: number of the first step, None if it is not known.
        algorithm: the spec.
        given: {state symbol or key: path}, which is taken as it is.

    Raises:
        UsageError: nobody knows what the first step started from.
    """
    begun = _begun(recording, first, algorithm)
    if begun is not None and not any(begun):
        return recording, None
    here = replace(recording, probe=replace(recording.probe, begun=begun or ()))
    bindings = _by_name(here, algorithm, given)
    unsure = [s for s in bindings if s not in given and algorithm.state(s).key not in given]
    while unsure:
        before = list(unsure)
        for symbol in before:
            bindings[symbol] = _settled(here, algorithm, bindings, bindings[symbol])
            if bindings[symbol].confirmed:
                unsure.remove(symbol)
        if unsure == before:  # what is left depends on nothing that was found meanwhile
            break
    return _started(here, algorithm, bindings), _map(here, algorithm, bindings)


# ---- how many steps there were


def _begun(recording: Recording, first: int | None, algorithm: Algorithm) -> tuple[int, ...] | None:
    """How many steps each parameter has behind it; None where nothing counts them.

    Raises:
        UsageError: the equations count steps, and the trace does not.
    """
    number, leaves = len(recording.probe.parameters), recording.moments[0].leaves
    counter = algorithm.counter
    if counter is not None and counter.key is not None and first is None:
        counted = [_count(own, counter.key) for own in leaves]
        if all(c is not None for c in counted):
            return tuple(c or 0 for c in counted)
    if first is not None:
        return (first - 1,) * number
    if not any(leaves):
        return (0,) * number
    if counter is None:
        return None
    raise UsageError(
        "the trace does not say at which step it begins: "
        'set "begins", as record(..., begins=n) does'
    )


def _count(leaves: Mapping[str, Any], key: str) -> int | None:
    """The number of steps that the state counts; none where a parameter has no state yet."""
    found = [x for path, x in leaves.items() if path.rsplit("/", 1)[-1] == key and np.size(x) == 1]
    if found:
        return int(np.ravel(found[0])[0])
    return None if leaves else 0


# ---- what they left


def _by_name(
    recording: Recording, algorithm: Algorithm, given: Mapping[str, str]
) -> dict[str, Binding]:
    """The tensor of every state, by name.

    Raises:
        UsageError: there is none.
    """
    there = list(dict.fromkeys(p for own in recording.moments[0].leaves for p in own))
    out = {}
    live = live_states(algorithm, algorithm.option_defaults())
    for s in (s for s in algorithm.states if s.name in live):
        if s.scope != "parameter" or s.shape == "history":
            raise UsageError(
                f"state {s.name} of {algorithm.name} belongs to the whole optimizer: "
                "such a trace has to begin with the first step"
            )
        path = given.get(s.name, given.get(s.key)) or _named(s, there)
        if path in there:
            _require_shape(recording, s, path)
            out[s.name] = Binding(s.name, path)
        elif s.init is not None or there:
            raise UsageError(
                f"the trace begins after the first step and shows nothing for state {s.name} of "
                f"{algorithm.name}; say where it is (--state {s.name}=...), or record from the "
                f"first step; it shows {', '.join(there) or 'no state'}"
            )
    return out


def _require_shape(recording: Recording, s: State, path: str) -> None:
    for i, (p, own) in enumerate(
        zip(recording.probe.parameters, recording.moments[0].leaves, strict=True)
    ):
        if path in own and s.shape == "like" and np.size(own[path]) != np.size(p):
            raise UsageError(
                f"{path} of parameter {i} has {np.size(own[path])} lanes: it is no state {s.name}"
            )


def _named(s: State, there: Sequence[str]) -> str | None:
    names = (s.key, *s.aliases, s.name)
    return next((p for name in names for p in there if p.rsplit("/", 1)[-1] == name), None)


def _settled(
    recording: Recording, algorithm: Algorithm, bindings: Mapping[str, Binding], binding: Binding
) -> Binding:
    """The first form in which a state follows its equations, else the tensor as it is."""
    for transform, scale in ways(algorithm):
        trial = Binding(binding.state, binding.path, transform, scale, stepwise=True)
        if _follows(recording, algorithm, {**bindings, binding.state: trial}, binding.state):
            return trial
    return replace(binding, confirmed=False)


def _follows(
    recording: Recording, algorithm: Algorithm, bindings: Mapping[str, Binding], symbol: str
) -> bool:
    """Whether every step takes a state to the next one."""
    dtype = recording.probe.dtype
    tally, started = Tally(dtype in ORDER[:2]), _started(recording, algorithm, bindings)
    read = _map(started, algorithm, bindings).reader(started)
    try:
        for lanes in lockstep(Model(algorithm), started, grades(dtype)[-1], list(bindings), read):
            for one in (x for x in lanes if x.quantity == symbol):
                tally.add(one)
    except (SpecError, ValueError):  # a form without the shape that the equations need
        return False
    return tally.severity is not Severity.OUT


def _map(recording: Recording, algorithm: Algorithm, bindings: Mapping[str, Binding]) -> StateMap:
    unit = grades(recording.probe.dtype)[-1].compute.unit
    return StateMap(algorithm, bindings, unit)


def _started(
    recording: Recording, algorithm: Algorithm, bindings: Mapping[str, Binding]
) -> Recording:
    """The recording with the states that it begins with."""
    read = _map(recording, algorithm, bindings).reader(recording)

    def states(i: int, parameter: Any) -> Iterator[tuple[str, Bounded]]:
        for symbol in bindings:
            found = shaped(read(symbol, 0, i), parameter)
            if found is not None:
                yield symbol, found

    own = tuple(dict(states(i, p)) for i, p in enumerate(recording.probe.parameters))
    return replace(recording, probe=replace(recording.probe, states=own))
