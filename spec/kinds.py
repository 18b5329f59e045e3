"""Numbers and truth values: which of the two an expression is, and that its parts fit."""

from __future__ import annotations

from typing import Literal

from instep.spec import ir
from instep.spec.errors import SpecError

Kind = Literal["number", "condition"]

# Arguments of a `Call`; functions not listed take one.
ARITY = {"max": 2, "min": 2, "pi": 0}
ARITHMETIC = frozenset(["+", "-", "*", "/", "**", "%"])
RELATIONS = frozenset(["==", "!=", "<", "<=", ">", ">="])


def require_number(expr: ir.Expr) -> None:
    """Raise SpecError unless an expression, and all inside it, is well formed and a number."""
    _require(expr, "number")


def require_condition(expr: ir.Expr) -> None:
    """Raise SpecError unless an expression, and all inside it, is well formed and a condition."""
    _require(expr, "condition")


def _require(expr: ir.Expr, kind: Kind) -> None:
    found = _kind(expr)
    if found != kind:
        raise SpecError(f"expected a {kind}, found a {found} ({type(expr).__name__})")


def _kind(expr: ir.Expr) -> Kind:
    match expr:
        case ir.Compare("==", ir.Opt(), ir.Value()):
            return "condition"
        case ir.Opt(name):
            raise SpecError(f"option {name} is used as a value; compare it: {name} == ...")
        case ir.Value(value):
            raise SpecError(f"the option value {value!r} stands outside of a comparison")
        case ir.Logic(_, xs):
            for x in xs:
                _require(x, "condition")
            return "condition"
        case ir.Absent() | ir.Touched():
            return "condition"
        case ir.Where(condition, a, b):
            _where(condition, a, b)
        case ir.Compare(op, _, _) | ir.Binary(op, _, _):
            _operands(expr, op)
        case ir.Call(function, xs):
            _call(function, xs)
        case _:
            for x in ir.children(expr):
                _require(x, "number")
    return "condition" if isinstance(expr, ir.Compare) else "number"


def _where(condition: ir.Expr, a: ir.Expr, b: ir.Expr) -> None:
    _require(condition, "condition")
    if any(isinstance(node, ir.Opt) for node in ir.walk(condition)):
        raise SpecError("where() on an option; use choose(...) or when(...)")
    _require(a, "number")
    _require(b, "number")


def _operands(expr: ir.Compare | ir.Binary, op: str) -> None:
    known = ARITHMETIC if isinstance(expr, ir.Binary) else RELATIONS
    if op not in known:
        raise SpecError(f"unknown operator {op!r}")
    _require(expr.left, "number")
    _require(expr.right, "number")


def _call(function: str, arguments: tuple[ir.Expr, ...]) -> None:
    if function not in ir.FUNCTIONS:
        raise SpecError(f"unknown function {function}")
    count = ARITY.get(function, 1)
    if len(arguments) != count:
        raise SpecError(f"{function} takes {count}, not {len(arguments)}, arguments")
    for x in arguments:
        _require(x, "number")
