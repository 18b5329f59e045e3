"""A trace as JSON with hex floats; `trace.schema.json` describes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from instep.conformance import hexfloat
from instep.conformance.traces.model import FORMAT, Entry, Leaf, Trace, TracedMoment, TracedStep


def to_text(trace: Trace) -> str:
    """One line for each entry and each step."""
    head = {
        "format": FORMAT,
        "subject": trace.subject,
        "environment": dict(trace.environment),
        "begins": trace.begins,
        "parameters": [_parameter(p) for p in trace.parameters],
        "start": _moment(trace.start),
    }
    lines = "".join(f" {json.dumps(k)}: {json.dumps(v)},\n" for k, v in head.items())
    steps = ",\n".join(json.dumps(_step(s), separators=(",", ":")) for s in trace.steps)
    return f'{{\n{lines} "steps": [\n{steps}\n ]\n}}\n'


def _parameter(p: Any) -> dict[str, Any]:
    own = {"name": p.name, "dtype": p.dtype, "shape": list(p.shape), "group": p.group}
    return {**own, "lanes": list(p.lanes), "size": p.size} if p.lanes else own


def _moment(moment: TracedMoment) -> dict[str, Any]:
    return {
        "parameters": [hexfloat.lanes(p) for p in moment.parameters],
        "state": [{path: _leaf(x) for path, x in own.items()} for own in moment.state],
    }


def _step(step: TracedStep) -> dict[str, Any]:
    return {
        "groups": [{k: _entry(x) for k, x in group.items()} for group in step.groups],
        "gradients": [None if g is None else hexfloat.lanes(g) for g in step.gradients],
        **_moment(step.after),
    }


def _leaf(leaf: Leaf) -> Mapping[str, Any] | str:
    if np.ndim(leaf.value) == 0 and not leaf.dtype:
        return hexfloat.written(leaf.value)
    own = {"shape": list(np.shape(leaf.value)), "values": hexfloat.lanes(leaf.value)}
    return {"dtype": leaf.dtype, **own} if leaf.dtype else own


def _entry(value: Entry) -> Any:
    match value:
        case tuple():
            return [_entry(x) for x in value]
        case float():
            return hexfloat.written(value)
    return value
