"""Functions that change gradients: the equations of one parameter, and the function around them."""

from __future__ import annotations

import re
import textwrap
from typing import Any

from instep.reference.generate.emit import eager, frame_text
from instep.reference.generate.emit.lines import LINE_LENGTH
from instep.reference.generate.frame import Frame, Parameter


def context(frame: Frame) -> dict[str, Any]:
    """What the template says of one transform."""
    algorithm = frame.algorithm
    lines = eager.emit(frame, waits=True)
    given = algorithm.returned or "None"
    lines[-1] = f"return theta, {given}"
    arguments = frame.in_order(frame.arguments())
    domains = frame_text.domains(frame)
    return {
        "source": frame_text.source_file(algorithm),
        "dialect": algorithm.full_name,
        "command": frame_text.COMMAND,
        "name": function_name(frame),
        "title": algorithm.title,
        "documentation": _documentation(frame, arguments),
        "signature": [f"{a.key}: {_type(a)} = {a.default!r}" for a in arguments],
        "entries": [a.key for a in arguments if a.key in domains],
        "domains": domains,
        "returns": "Tensor" if algorithm.returned else "None",
        "refusal": _refusal(frame),
        "equations": lines,
        "imports": _imports("\n".join([*lines, *domains.values()])),
    }


def function_name(frame: Frame) -> str:
    """`clip_grad_norm_` of clip-grad-norm: it works in place."""
    return frame.algorithm.name.replace("-", "_") + "_"


def _type(argument: Parameter) -> str:
    return argument.annotation.removesuffix(" | Tensor")


def _refusal(frame: Frame) -> str:
    """The message, where the caller's own keyword asks for it."""
    for r in frame.algorithm.refusals:
        for o in frame.algorithm.options:
            if o.argument is not None and o.name in str(r.condition):
                return f'"{r.message}" if {o.argument.key} else ""'
    return '""'


def _documentation(frame: Frame, arguments: list[Parameter]) -> list[str]:
    algorithm = frame.algorithm
    dialect = algorithm.dialect
    lines = [f"{algorithm.title}, in place."]
    if dialect is not None:
        lines += ["", *textwrap.wrap(f"{dialect.source}. {dialect.note}", LINE_LENGTH - 4)]
    lines += ["", "Args:"]
    lines += ["    parameters: one parameter, or several; those without gradient are left out."]
    for a in arguments:
        text = f"{a.key}: {a.description} (default: {a.default!r})."
        lines += textwrap.wrap(text, LINE_LENGTH - 4, initial_indent="    ",
                               subsequent_indent=" " * 8)  # fmt: skip
    if algorithm.returned:
        what = algorithm.returned.replace("_", " ")
        lines += ["", "Returns:", f"    The {what}, before anything changed."]
    lines += ["", "Raises:", "    ValueError: an argument lies outside its domain."]
    for r in algorithm.refusals:
        lines += [f"    RuntimeError: {r.message}; nothing has changed."]
    return lines


def _imports(text: str) -> str:
    runtime = "instep.reference.runtime"
    lines = ["from collections.abc import Mapping"]
    lines += ["from math import inf", ""] if re.search(r"\binf\b", text) else [""]
    if re.search(r"\btorch\.", text):
        lines.append("import torch")
    lines += ["from torch import Tensor", ""]
    if re.search(r"\bmath\.", text):
        lines.append(f"from {runtime} import scalar_math as math")
    interval = ", Interval" if "Interval(" in text else ""
    lines.append(f"from {runtime}.intervals import Domain{interval}")
    requests = [r for r in ("Gradient", "Max", "Sum") if f"yield {r}(" in text]
    lines.append(f"from {runtime}.lockstep import {', '.join(requests)}")
    lines.append(f"from {runtime}.transforms import Parameters, Steps, transform_")
    axes = "".join(f", {f}" for f in ("unit_axes", "unit_size") if f"{f}(" in text)
    lines.append(f"from {runtime}.work import Group{axes}")
    return "\n".join(lines)
