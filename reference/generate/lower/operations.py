"""Which operation on lists of tensors computes a node, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass

from instep.reference.generate.lower.form import Program
from instep.spec import ir

COMMUTATIVE = frozenset({"add", "mul", "maximum", "minimum"})
_BINARY = {"+": "add", "-": "sub", "*": "mul", "/": "div"}
_UNARY = frozenset({"sqrt", "abs", "sign", "exp", "log", "floor", "cos"})
_EXTREME = {"max": ("maximum", "clamp_min"), "min": ("minimum", "clamp_max")}
_FUSED = frozenset({"lerp", "addcmul", "addcdiv", "add_scaled"})


@dataclass(frozen=True, slots=True)
class Plan:
    """A function, its lists of tensors, its numbers."""

    function: str
    operands: tuple[ir.Expr, ...]
    numbers: tuple[ir.Expr, ...] = ()


def plan(program: Program, expr: ir.Expr) -> Plan | None:
    """The operation for a node of tensors, None for one that has to run tensor by tensor."""
    match expr:
        case ir.Negate(a):
            return Plan("neg", (a,))
        case ir.Call(function, (a,)) if function in _UNARY:
            return Plan(function, (a,))
        case ir.Call(function, (a, b)) if function in _EXTREME:
            return _extreme(program, function, a, b)
        case ir.Call(function, arguments) if function in _FUSED:
            return Plan(function, arguments[:-1], arguments[-1:])
        case ir.Binary(op, a, b):
            return _binary(program, op, a, b)
    return None


def _extreme(program: Program, function: str, a: ir.Expr, b: ir.Expr) -> Plan:
    of_lists, with_number = _EXTREME[function]
    if program.on_host(a):
        return Plan(with_number, (b,), (a,))
    return Plan(with_number, (a,), (b,)) if program.on_host(b) else Plan(of_lists, (a, b))


def _binary(program: Program, op: str, a: ir.Expr, b: ir.Expr) -> Plan | None:
    left, right = program.on_host(a), program.on_host(b)
    if op == "**":
        return Plan("pow", (a,), (b,)) if right else None
    if op not in _BINARY:
        return None
    if not left and not right:
        return Plan(_BINARY[op], (a, b))
    if right:
        return Plan(_BINARY[op], (a,), (b,))
    if op in "+*":
        return Plan(_BINARY[op], (b,), (a,))
    # s - A is -A + s, bit for bit; s / A has no operation of its own.
    return Plan("add", (ir.Negate(b),), (a,)) if op == "-" else None
