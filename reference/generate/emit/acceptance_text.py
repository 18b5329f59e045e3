"""What a generated class says of sparse gradients and complex parameters."""

from __future__ import annotations

from typing import Any

from instep.reference.generate.emit.frame_text import group_printer
from instep.reference.generate.emit.lines import Lines
from instep.reference.generate.errors import GenerateError
from instep.reference.generate.frame import Frame
from instep.reference.generate.lower.resolve_options import negation
from instep.reference.generate.lower.rows import by_lanes, masked
from instep.spec import ir
from instep.spec.gradients import accepts_complex


def acceptance(frame: Frame, *, gathers: bool) -> dict[str, Any]:
    """What the templates need; `gathers` where a step may see the named lanes alone."""
    algorithm = frame.algorithm
    gather = gathers and by_lanes(algorithm, frame.body)
    mask = masked(frame.body) and not gather
    return {
        "accepts": _attribute(frame, mask),
        "sparse": _requirement(frame),
        "rows": _rows(frame) if gather else "",
        "masked": mask,
    }


def _attribute(frame: Frame, mask: bool) -> str:
    """The arguments of `Accepts` that differ from its defaults."""
    declared = frame.algorithm.gradients
    known: dict[str, Any] = {
        "dense": declared.dense,
        "sparse": declared.sparse is not False,
        "complex": declared.complex if declared.complex is not None else _complex(frame),
        "masked": mask,
    }
    usual = {"dense": True, "sparse": False, "complex": True, "masked": False}
    return ", ".join(f"{key}={value}" for key, value in known.items() if value != usual[key])


def _complex(frame: Frame) -> bool | None:
    return True if accepts_complex(frame.algorithm, frame.body) else None


def _requirement(frame: Frame) -> list[str]:
    """Lines that refuse sparse gradients under some hyperparameters."""
    declared = frame.algorithm.gradients
    if isinstance(declared.sparse, bool):
        return []
    lines = Lines()
    condition = frame.simplified(declared.sparse)
    if condition is True:
        return []
    if isinstance(condition, bool):
        raise GenerateError(f"{frame.algorithm.full_name} accepts no sparse gradient: {condition}")
    lines.open(f"if {group_printer(frame)(negation(condition))}:")
    reason = declared.reason or "these hyperparameters do not support sparse gradients"
    lines.add(f'raise RuntimeError("{reason}")')
    lines.close()
    return lines.texts


def _rows(frame: Frame) -> str:
    """The condition under which only named lanes move."""
    promised = frame.algorithm.gradients.rows
    condition: ir.Expr | bool = (
        promised if isinstance(promised, bool) else frame.simplified(promised)
    )
    if isinstance(condition, bool):
        return str(condition)
    return f"bool({group_printer(frame)(condition)})"
