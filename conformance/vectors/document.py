"""One file of vectors, as what `json` writes; `vectors.schema.json` describes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np

from instep.conformance import hexfloat
from instep.conformance.profile import FLOAT_TYPES, Profile, grades
from instep.conformance.vectors.cases import WIDE, Case
from instep.conformance.vectors.expected import Expected, Quantity
from instep.conformance.verdict import IN_STEP, OUT_OF_STEP
from instep.spec.arguments import OptionValue, TypeEps
from instep.spec.model import Algorithm
from instep.spec.options import idle_hyperparameters, live_states

FORMAT = "instep-vectors@1"


def schema(name: str = "vectors.schema.json") -> dict[str, Any]:
    """The published JSON Schema (draft 2020-12) of a file, or of `manifest.schema.json`."""
    text = resources.files("instep.conformance.vectors").joinpath(name).read_text("utf-8")
    return dict(json.loads(text))


def profile_of(dtype: str) -> Profile:
    """Where the expected bounds let an implementation round.

    The widest type has the strictest profile: who keeps scalars in float32 reads the other files.
    """
    ladder = grades(dtype)
    return ladder[0] if dtype == WIDE else ladder[-1]


def document(algorithm: Algorithm, case: Case, found: Expected) -> dict[str, Any]:
    """Everything that a reader needs to replay a case."""
    probe, profile = case.probe, profile_of(case.probe.dtype)
    return {
        "format": FORMAT,
        "spec": algorithm.identifier,
        "dialect": algorithm.full_name,
        "title": algorithm.title,
        "case": case.name,
        "about": case.about,
        "result": algorithm.result,
        "dtype": probe.dtype,
        "precision": {"tensors": profile.compute.name, "scalars": profile.scalar.name},
        "wide_blocks": [b.name for b in algorithm.blocks],
        "rule": {"in_step": IN_STEP, "out_of_step": OUT_OF_STEP},
        "options": dict(probe.options),
        "flags": _flags(algorithm, probe.options),
        "hyperparameters": _numbers(algorithm, probe.hyperparameters, probe.dtype),
        "arguments": _arguments(algorithm),
        "counter": _counter(algorithm),
        "states": _states(algorithm, probe.options),
        "parameters": [_tensor(p) for p in probe.parameters],
        "groups": [
            {"parameters": list(i), "hyperparameters": _numbers(algorithm, v, probe.dtype)}
            for i, v in probe.groups
        ],
        "steps": [_step(algorithm, case, found, t) for t in range(1, probe.steps + 1)],
    }


def text(record: Mapping[str, Any]) -> str:
    """One line for each entry and each step, so that files of two versions can be compared."""
    lines = (f" {json.dumps(k)}: {_entry(k, v)}" for k, v in record.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _entry(key: str, value: Any) -> str:
    if key != "steps":
        return json.dumps(value, allow_nan=False)
    steps = (json.dumps(s, allow_nan=False, separators=(",", ":")) for s in value)
    return "[\n" + ",\n".join(steps) + "\n ]"


def _flags(algorithm: Algorithm, options: Mapping[str, OptionValue]) -> dict[str, Any]:
    """Options as keywords of a constructor, those that the dialect leaves to it."""
    return {
        o.argument.key: o.argument.constructor_value(options[o.name])
        for o in algorithm.options
        if o.argument is not None and o.name not in algorithm.pinned
    }


def _numbers(algorithm: Algorithm, values: Mapping[str, float], dtype: str) -> dict[str, Any]:
    idle = idle_hyperparameters(algorithm)
    return {k: _number(algorithm, k, x, dtype) for k, x in values.items() if k not in idle}


def _number(algorithm: Algorithm, symbol: str, value: float, dtype: str) -> int | str:
    """An integer where the spec wants one."""
    if algorithm.hyperparameter(symbol).domain.integer:
        return int(value)
    own = 2 * FLOAT_TYPES[dtype].unit if isinstance(value, TypeEps) else value
    return hexfloat.written(own)


def _arguments(algorithm: Algorithm) -> dict[str, list[Any]]:
    """Each symbol's keyword, as torch names it where it has the algorithm, and place in a tuple."""
    idle = idle_hyperparameters(algorithm)
    return {
        h.name: [h.key] if h.index is None else [h.key, h.index]
        for h in algorithm.hyperparameters
        if h.name not in idle
    }


def _counter(algorithm: Algorithm) -> dict[str, Any] | None:
    c = algorithm.counter
    return None if c is None else {"symbol": c.name, "key": c.key, "start": c.start}


def _states(algorithm: Algorithm, options: Mapping[str, OptionValue]) -> list[dict[str, str]]:
    live = live_states(algorithm, options)
    return [
        {"symbol": s.name, "key": s.key, "scope": s.scope, "description": s.description}
        for s in algorithm.states
        if s.name in live
    ]


def _tensor(x: Any) -> dict[str, Any]:
    return {"shape": list(np.shape(x)), "values": hexfloat.lanes(x)}


def _step(algorithm: Algorithm, case: Case, found: Expected, t: int) -> dict[str, Any]:
    probe, quantities = case.probe, found.steps[t - 1]
    own: list[dict[str, Any]] = [{} for _ in probe.parameters]
    shared: dict[str, Any] = {}
    for (name, i), q in quantities.items():
        (shared if i is None else own[i])[name] = _quantity(q)
    out: dict[str, Any] = {"step": t}
    if t in probe.changes:
        out["changes"] = _numbers(algorithm, probe.changes[t], probe.dtype)
    given = probe.gradients[t - 1]
    out["gradients"] = [None if g is None else hexfloat.lanes(g) for g in given]
    if probe.touched:
        masks = zip(probe.touched[t - 1], probe.parameters, strict=True)
        out["touched"] = [
            np.broadcast_to(m, np.shape(p)).ravel().astype(int).tolist() for m, p in masks
        ]
    out["expected"] = own
    return {**out, "shared": shared} if shared else out


def _quantity(q: Quantity) -> dict[str, Any]:
    out: dict[str, Any] = {
        "shape": list(np.shape(q.value)),
        "value": hexfloat.lanes(q.value),
        "bound": hexfloat.lanes(hexfloat.rounded_up(q.bound)),
    }
    if q.allowed:
        out["allowed"] = {
            str(k): [[hexfloat.written(v), hexfloat.written(hexfloat.rounded_up(b))] for v, b in x]
            for k, x in q.allowed.items()
        }
    return out
