"""Comparisons of whole numbers without 1 beside them: t < T + 1 is t <= T."""

from __future__ import annotations

from dataclasses import replace

from instep.spec import ir
from instep.spec.algebra.program import Program
from instep.spec.rewriting import rewrite_body

# What a comparison is without the 1 that its right side has more (+) or less (-).
_WITHOUT_ONE = {("<", "+"): "<=", (">=", "+"): ">", ("<=", "-"): "<", (">", "-"): ">="}
_OPPOSITE = {"+": "-", "-": "+"}


def without_ones(program: Program) -> Program:
    """The same program, its comparisons of whole numbers moved to where no 1 is added."""

    def rule(node: ir.Expr) -> ir.Expr | None:
        match node:
            case ir.Compare(op, left, ir.Binary(sign, right, ir.Const(1))):
                moved = _WITHOUT_ONE.get((op, sign))
            case ir.Compare(op, ir.Binary("+" | "-" as sign, left, ir.Const(1)), right):
                moved = _WITHOUT_ONE.get((op, _OPPOSITE[sign]))
            case _:
                return None
        if moved and _is_whole(left, program) and _is_whole(right, program):
            return ir.Compare(moved, left, right)
        return None

    return replace(program, body=rewrite_body(program.body, rule))


def _is_whole(expr: ir.Expr, program: Program) -> bool:
    """Whether an expression has no other values; hyperparameters that are bound might."""
    match expr:
        case ir.Const(value):
            return value == int(value)
        case ir.Sym(name) if name == program.counter:
            return True
        case ir.Sym(name):
            domain = program.domains.get(name)
            return domain is not None and domain.integer and name not in dict(program.bindings)
        case ir.Call(function):
            return function in ir.SHAPE_FUNCTIONS
        case ir.Binary("+" | "-" | "*", a, b):
            return _is_whole(a, program) and _is_whole(b, program)
    return False
