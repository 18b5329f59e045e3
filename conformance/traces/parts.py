"""From a trace to recordings: hyperparameters by symbol, and a run for parameters that share them.

A recording has one history of hyperparameters and one type. Parameters of groups that differ make
recordings of their own, as long as the algorithm treats each parameter by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from instep.conformance.errors import UsageError
from instep.conformance.mapping import StateMap
from instep.conformance.observe import Moment, Recording
from instep.conformance.probes import Probe
from instep.conformance.profile import FLOAT_TYPES
from instep.conformance.traces.middle import begin
from instep.conformance.traces.model import Entry, Trace, TracedMoment
from instep.spec import ir
from instep.spec.arguments import Hyperparameter, OptionValue
from instep.spec.conditions import misshapen
from instep.spec.errors import SpecError
from instep.spec.gradients import needs_closure
from instep.spec.model import Algorithm
from instep.spec.options import hyperparameters_read, live_states, resolve

Values = tuple[tuple[str, float], ...]
_ENTRY = re.compile(r"(\w+)\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Part:
    """Parameters that are judged together, and what was assumed of them.

    `states` says where the trace keeps them, if it begins in the middle and they had to be known;
    `indices` which parameters of the trace these are.
    """

    indices: tuple[int, ...]
    recording: Recording
    notes: tuple[str, ...]
    states: StateMap | None


@dataclass(frozen=True)
class Naming:
    """What the trace calls what the spec names.

    Attributes:
        rename: {spec name: name in the trace's groups}, `betas[0]` is an entry of a tuple.
        state: {spec state: path in the trace's state}.
        given: entries that the groups lack, in the trace's names.
    """

    rename: Mapping[str, str]
    state: Mapping[str, str]
    given: Mapping[str, Any]


def parts(trace: Trace, algorithm: Algorithm, naming: Naming) -> list[Part]:
    """The recordings of a trace.

    Raises:
        UsageError: the trace cannot be judged by this specification; the message says why.
    """
    _require_known(algorithm, naming)
    options = _options(trace, algorithm, naming)
    chosen = algorithm.with_options(options)
    _require_data(trace, chosen)
    together: dict[Any, list[int]] = {}
    for i, p in enumerate(trace.parameters):
        key = (
            p.dtype,
            tuple(_values(step.groups[p.group], chosen, naming) for step in trace.steps),
        )
        together.setdefault(key, []).append(i)
    if len(together) > 1 and _couples(chosen):
        raise UsageError(
            f"{algorithm.name} looks at all parameters together, and those of the trace differ in "
            "their hyperparameters or types"
        )
    return [
        _part(trace, chosen, naming, dtype, history, indices)
        for (dtype, history), indices in together.items()
    ]


# ---- what can be judged


def _require_known(algorithm: Algorithm, naming: Naming) -> None:
    names = {h.name for h in algorithm.hyperparameters} | {h.key for h in algorithm.hyperparameters}
    names |= {o.name for o in algorithm.options}
    names |= {o.argument.key for o in algorithm.options if o.argument is not None}
    for name in naming.rename:
        if name not in names:
            raise UsageError(f"rename: {algorithm.name} has no {name!r}; it has {_listed(names)}")
    states = {n for s in algorithm.states for n in (s.name, s.key)}
    for name in naming.state:
        if name not in states:
            raise UsageError(f"state: {algorithm.name} has no {name!r}; it has {_listed(states)}")


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))


def _require_data(trace: Trace, algorithm: Algorithm) -> None:
    body = resolve(algorithm.body, algorithm.option_defaults())
    if algorithm.schedule is not None or algorithm.result != "parameters":
        raise UsageError(f"{algorithm.name} is no optimizer: a trace is of one")
    if needs_closure(body):
        raise UsageError(f"{algorithm.name} evaluates gradients by itself: no trace can show them")
    sees = (ir.Reduce, ir.MatMul, ir.Transpose)
    for p in trace.parameters:
        if p.lanes and any(isinstance(n, sees) for n in ir.nodes(body)):
            raise UsageError(f"{algorithm.name} needs all lanes: record without lanes=")
        if not p.lanes and misshapen(algorithm, p.shape):
            raise UsageError(f"{algorithm.name}: {algorithm.shapes[0].message}: not {p.shape}")


def _couples(algorithm: Algorithm) -> bool:
    """Whether one parameter's step depends on the others."""
    body = resolve(algorithm.body, algorithm.option_defaults())
    over = any(isinstance(n, ir.Reduce) and n.over == "params" for n in ir.nodes(body))
    live = live_states(algorithm, algorithm.option_defaults())
    return over or any(s.scope != "parameter" for s in algorithm.states if s.name in live)


# ---- hyperparameters


def _options(trace: Trace, algorithm: Algorithm, naming: Naming) -> dict[str, OptionValue]:
    """The options as the groups say them; they do not change."""
    out = dict(algorithm.option_defaults())
    for o in algorithm.options:
        if o.argument is None or o.name in algorithm.pinned:
            continue
        key = naming.rename.get(o.name, naming.rename.get(o.argument.key, o.argument.key))
        said = {_of(naming, group, key) for step in trace.steps for group in step.groups}
        said.discard(_ABSENT)
        if len(said) > 1:
            raise UsageError(f"{key} differs between groups or steps: no specification allows that")
        for value in said:
            try:
                out[o.name] = o.argument.option_value(value)
            except SpecError as error:
                raise UsageError(f"{algorithm.name}: {error}") from None
    return out


_ABSENT = "\0"


def _of(naming: Naming, group: Mapping[str, Entry], key: str) -> Any:
    return group.get(key, naming.given.get(key, _ABSENT))


def _values(group: Mapping[str, Entry], algorithm: Algorithm, naming: Naming) -> Values:
    """What the equations read, by symbol; what the group lacks has its default."""
    read = hyperparameters_read(algorithm, algorithm.option_defaults())
    out = []
    for h in algorithm.hyperparameters:
        if h.name in read:
            value = _value(group, h, naming)
            out.append((h.name, h.default if value is None else value))
    return tuple(out)


def _value(group: Mapping[str, Entry], h: Hyperparameter, naming: Naming) -> float | None:
    renamed = naming.rename.get(h.name)
    if renamed is None and h.key in naming.rename:
        renamed = naming.rename[h.key] + ("" if h.index is None else f"[{h.index}]")
    if renamed is not None:
        found = _ENTRY.fullmatch(renamed)
        key, index = (found[1], int(found[2])) if found else (renamed, None)
        return _number(_of(naming, group, key), index, key)
    for key, index in ((h.key, h.index), *((name, None) for name in (h.name, *h.aliases))):
        value = _of(naming, group, key)
        if value is not _ABSENT and not (isinstance(value, tuple) and index is None):
            return _number(value, index, key)
    return None


def _number(value: Any, index: int | None, key: str) -> float | None:
    """An entry as a number, None where it is not there or unset."""
    if isinstance(value, tuple) and index is not None and index < len(value):
        value = value[index]
    if value is _ABSENT or value is None:
        return None
    if not isinstance(value, int | float):
        raise UsageError(f"{key} is {value!r} in the trace, and no number")
    return int(value) if isinstance(value, bool) else value


# ---- one recording


def _part(
    trace: Trace,
    algorithm: Algorithm,
    naming: Naming,
    dtype: str,
    history: Sequence[Values],
    indices: list[int],
) -> Part:
    options = algorithm.option_defaults()
    first = dict(history[0])
    changes = {
        t: {k: v for (k, v), (_, before) in zip(now, last, strict=True) if v != before}
        for t, (last, now) in enumerate(pairwise(history), start=2)
    }
    probe = Probe(
        "trace",
        dtype,
        tuple(trace.start.parameters[i] for i in indices),
        tuple(tuple(step.gradients[i] for i in indices) for step in trace.steps),
        {**algorithm.defaults(), **first},
        options,
        changes={t: v for t, v in changes.items() if v},
    )
    moments = [_moment(m, indices) for m in trace.moments]
    arguments = dict(trace.steps[0].groups[trace.parameters[indices[0]].group])
    recording = Recording(probe, moments, arguments=arguments)
    resumed, states = begin(recording, trace.begins, algorithm, naming.state)
    group = trace.steps[0].groups[trace.parameters[indices[0]].group]
    notes = tuple(
        f"{h.name} is not in the trace: {first[h.name]:g} is assumed"
        for h in algorithm.hyperparameters
        if h.name in first and _value(group, h, naming) is None
    )
    return Part(tuple(indices), resumed, notes, states)


def _moment(moment: TracedMoment, indices: list[int]) -> Moment:
    leaves = [{path: x.value for path, x in moment.state[i].items()} for i in indices]
    types = {
        path: x.dtype
        for i in indices
        for path, x in moment.state[i].items()
        if x.dtype in FLOAT_TYPES
    }
    return Moment([moment.parameters[i] for i in indices], leaves, types)
