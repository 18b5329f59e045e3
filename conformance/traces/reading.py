"""A trace out of a file that anybody may have written: one clear line where it is none."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from instep.conformance import hexfloat
from instep.conformance.errors import UsageError
from instep.conformance.profile import FLOAT_TYPES
from instep.conformance.traces.model import (
    FORMAT,
    Entry,
    Leaf,
    Trace,
    TracedMoment,
    TracedParameter,
    TracedStep,
)


class _NoTraceError(Exception):
    """Where a record is none, and why."""


def read_trace(path: str | Path) -> Trace:
    """The trace in a file.

    Raises:
        UsageError: there is no file, or it holds no trace; the message says where.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no trace: it is no text") from error
    return from_text(text, str(path))


def from_text(text: str, name: str = "this") -> Trace:
    """The trace that a text holds, called so in errors."""
    try:
        record = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise UsageError(f"{name} is no trace: {error}") from None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise UsageError(f'{name} is no trace: "format" is not "{FORMAT}"')
    try:
        return _trace(record)
    except _NoTraceError as error:
        raise UsageError(f"{name} is no trace: {error}") from None


@contextmanager
def _at(where: str) -> Iterator[None]:
    """Say where, of whatever is wrong inside."""
    try:
        yield
    except _NoTraceError as error:
        raise _NoTraceError(f"{where}.{error}" if where else str(error)) from None
    except KeyError as error:
        raise _NoTraceError(f"{where}: {error.args[0]!r} is missing") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise _NoTraceError(f"{where}: {error}") from None


def _trace(record: Mapping[str, Any]) -> Trace:
    with _at("parameters"):
        parameters = tuple(map(_parameter, _list(record["parameters"])))
    if not parameters:
        raise _NoTraceError("it has no parameters")
    with _at("start"):
        start = _moment(record["start"], parameters)
    steps = []
    with _at("steps"):
        entries = _list(record["steps"])
    for k, entry in enumerate(entries, start=1):
        with _at(f"step {k}"):
            steps.append(_step(entry, parameters))
    if not steps:
        raise _NoTraceError("it has no steps")
    with _at("begins"):
        begins = _begins(record.get("begins"))
    environment = {str(k): str(v) for k, v in dict(record.get("environment") or {}).items()}
    subject = str(record.get("subject", "an optimizer"))
    return Trace(subject, begins, parameters, start, tuple(steps), environment)


def _begins(value: Any) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise ValueError(f"{value!r} is no number of a step")


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("it is no array")
    return value


def _parameter(record: Any) -> TracedParameter:
    shape = tuple(_whole(n) for n in _list(record["shape"]))
    dtype, group = record["dtype"], _whole(record.get("group", 0))
    if dtype not in FLOAT_TYPES:
        raise ValueError(f"dtype {dtype!r} is none of {', '.join(FLOAT_TYPES)}")
    lanes = tuple(_whole(k) for k in _list(record.get("lanes", [])))
    size = _whole(record.get("size", max(lanes, default=-1) + 1))
    if lanes and (shape != (len(lanes),) or size <= max(lanes)):
        raise ValueError(f"{len(lanes)} lanes of {size}, and the shape {list(shape)}")
    return TracedParameter(str(record.get("name", "")), dtype, shape, group, lanes, size)


def _whole(n: Any) -> int:
    if not isinstance(n, int) or isinstance(n, bool) or n < 0:
        raise ValueError(f"{n!r} is no whole number")
    return n


def _step(record: Any, parameters: tuple[TracedParameter, ...]) -> TracedStep:
    with _at("groups"):
        groups = tuple(
            {str(k): _entry(x) for k, x in group.items()} for group in _list(record["groups"])
        )
    if len(groups) <= max(p.group for p in parameters):
        raise ValueError(f"it has {len(groups)} groups, and parameters name others")
    gradients = _tensors(record, "gradients", parameters, optional=True)
    return TracedStep(groups, gradients, _moment(record, parameters))


def _moment(record: Any, parameters: tuple[TracedParameter, ...]) -> TracedMoment:
    values = _tensors(record, "parameters", parameters)
    state = []
    kept = _list(record.get("state", [{} for _ in parameters]))
    if len(kept) != len(parameters):
        raise ValueError(f"state of {len(kept)} parameters, and there are {len(parameters)}")
    for i, own in enumerate(kept):
        with _at(f"state[{i}]"):
            state.append({str(path): _leaf(x) for path, x in own.items()})
    return TracedMoment(values, tuple(state))


def _tensors(
    record: Any, name: str, parameters: tuple[TracedParameter, ...], *, optional: bool = False
) -> tuple[Any, ...]:
    given, out = _list(record[name]), []
    if len(given) != len(parameters):
        raise ValueError(f"{len(given)} {name}, and there are {len(parameters)} parameters")
    for i, (p, lanes) in enumerate(zip(parameters, given, strict=True)):
        with _at(f"{name}[{i}]"):
            absent = optional and lanes is None
            out.append(None if absent else hexfloat.read_lanes(_list(lanes), p.shape))
    return tuple(out)


def _leaf(value: Any) -> Leaf:
    if not isinstance(value, dict):
        return Leaf(hexfloat.read(value))
    array = hexfloat.read_lanes(_list(value["values"]), _list(value["shape"]))
    return Leaf(array, str(value.get("dtype", "")))


def _entry(value: Any) -> Entry:
    if isinstance(value, list):
        return tuple(map(_entry, value))
    return hexfloat.read(value) if hexfloat.is_written(value) else value
