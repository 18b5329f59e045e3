"""A report as JSON and back; `schema.json` beside this file describes the format.

Several reports of one run are `run.schema.json`.

Floats that JSON cannot hold are the strings "inf", "-inf" and "nan". The numbers of an evidence
stand as hex floats too, for readers whose decimal parser rounds. A hyperparameter that is no plain
value stands as its `repr` and comes back as that text; a list comes back as a tuple.
"""

from __future__ import annotations

import dataclasses
import json
import math
import numbers
import types
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any, get_args, get_origin, get_type_hints

from instep.conformance.errors import UsageError
from instep.conformance.report import model

FORMAT = "instep-report@1"
RUN_FORMAT = "instep-run@1"
NONFINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}
HEX = ("expected", "bound", "got")
DERIVED = frozenset({"format", "ok", *(f"{name}_hex" for name in HEX)})


def schema(name: str = "schema.json") -> dict[str, Any]:
    """The published JSON Schema (draft 2020-12) of a report, or of a run: `run.schema.json`."""
    text = resources.files("instep.conformance.report").joinpath(name).read_text("utf-8")
    return dict(json.loads(text))


def to_json(report: model.Report) -> str:
    """The report as an indented JSON object that `schema.json` describes."""
    return json.dumps(_whole(report), indent=2, allow_nan=False) + "\n"


def run_to_json(reports: Sequence[model.Report]) -> str:
    """Reports of one run as an indented JSON object that `run.schema.json` describes."""
    ok = all(report.ok for report in reports)
    record = {"format": RUN_FORMAT, "ok": ok, "reports": [_whole(r) for r in reports]}
    return json.dumps(record, indent=2, allow_nan=False) + "\n"


def _whole(report: model.Report) -> dict[str, Any]:
    return {"format": FORMAT, "ok": report.ok, **plain(report)}


def plain(value: Any) -> Any:
    """Dictionaries, lists, strings and numbers that `json` writes without a loss."""
    match value:
        case None | bool() | str():
            return value
        case numbers.Integral():
            return int(value)
        case numbers.Real():
            number = float(value)
            return number if math.isfinite(number) else str(number)
        case Mapping():
            return {str(key): plain(inner) for key, inner in value.items()}
        case tuple() | list():
            return [plain(inner) for inner in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _record(value)
    return repr(value)


def _record(value: Any) -> dict[str, Any]:
    record = {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, model.Evidence):
        record |= {f"{name}_hex": float(getattr(value, name)).hex() for name in HEX}
    return record


def from_json(text: str) -> model.Report:
    """The report that `to_json` wrote.

    Raises:
        UsageError: the text is not a report in this format; the message says where.
    """
    try:
        record = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"this is no report: {error}") from None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise UsageError(f'this is no report: "format" is not "{FORMAT}"')
    return from_plain(record)


def from_plain(record: Mapping[str, Any]) -> model.Report:
    """The report whose `plain` form a mapping is, with or without what is derived from it.

    Raises:
        UsageError: it is none; the message says where.
    """
    report = _read(model.Report, record, "report")
    assert isinstance(report, model.Report)
    return report


def _read(hint: Any, value: Any, where: str) -> Any:
    """Read a JSON value as the type that a field declares."""
    if hint is Any:
        return _free(value)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _object(hint, value, where)
    arguments = get_args(hint)
    match get_origin(hint):
        case None:
            return _scalar(hint, value, where)
        case types.UnionType:
            return None if value is None else _read(arguments[0], value, where)
        case origin if origin is tuple:
            return _sequence(arguments, value, where)
    if not isinstance(value, dict):
        raise UsageError(f"this is no report: {where} is no object")
    return {key: _read(arguments[1], inner, f"{where}.{key}") for key, inner in value.items()}


def _object(kind: type, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise UsageError(f"this is no report: {where} is no object")
    hints = get_type_hints(kind)
    names = {f.name for f in dataclasses.fields(kind)}
    unknown, missing = value.keys() - names - DERIVED, names - value.keys()
    if unknown or missing:
        fault, name = ("unknown", min(unknown)) if unknown else ("missing", min(missing))
        raise UsageError(f"this is no report: {where}.{name} is {fault}")
    return kind(**{name: _read(hints[name], value[name], f"{where}.{name}") for name in names})


def _sequence(arguments: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise UsageError(f"this is no report: {where} is no array")
    return tuple(_read(arguments[0], inner, f"{where}[{i}]") for i, inner in enumerate(value))


def _scalar(kind: type, value: Any, where: str) -> Any:
    if kind is float and value in NONFINITE:
        return NONFINITE[value]
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        raise UsageError(f"this is no report: {where} is no {kind.__name__}")
    return value


def _free(value: Any) -> Any:
    """A hyperparameter: betas were a tuple, and only a float is called inf."""
    match value:
        case list():
            return tuple(map(_free, value))
        case dict():
            return {key: _free(inner) for key, inner in value.items()}
        case str() if value in NONFINITE:
            return NONFINITE[value]
    return value
