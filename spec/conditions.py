"""Conditions on hyperparameters and options, decided for given values."""

from __future__ import annotations

from collections.abc import Mapping

from instep.spec import ir
from instep.spec.arguments import OptionValue
from instep.spec.arithmetic import OPERATORS, shape_query
from instep.spec.errors import SpecError
from instep.spec.model import Algorithm, Requirement
from instep.spec.rewriting import rewrite


def holds(
    condition: ir.Expr, values: Mapping[str, float], options: Mapping[str, OptionValue]
) -> bool:
    """The truth of a condition between hyperparameters, constants and options."""
    match condition:
        case ir.Compare("==", ir.Opt(name), ir.Value(value)):
            return options[name] == value
        case ir.Compare(op, left, right):
            return bool(OPERATORS[op](_number(left, values), _number(right, values)))
        case ir.Logic("not", (a,)):
            return not holds(a, values, options)
        case ir.Logic("and", xs):
            return all(holds(x, values, options) for x in xs)
        case ir.Logic("or", xs):
            return any(holds(x, values, options) for x in xs)
    raise SpecError(f"{type(condition).__name__} is no condition on hyperparameters")


def misshapen(algorithm: Algorithm, shape: tuple[int, ...]) -> list[Requirement]:
    """Requirements on the shape of a parameter that one of this shape does not meet."""
    return [r for r in algorithm.shapes if not _fits(r.condition, shape)]


def _fits(condition: ir.Expr, shape: tuple[int, ...]) -> bool:
    """The truth of a condition on a shape."""

    def number(node: ir.Expr) -> ir.Expr | None:
        if isinstance(node, ir.Call) and node.function in ir.SHAPE_FUNCTIONS:
            return ir.Const(shape_query(node.function, shape))
        return None

    try:
        return holds(rewrite(condition, number), {}, {})
    except SpecError:  # a vector has no rows
        return False


def violated(
    algorithm: Algorithm, values: Mapping[str, float], options: Mapping[str, OptionValue]
) -> list[Requirement]:
    """Requirements that an assignment does not meet."""
    return [r for r in algorithm.requirements if not holds(r.condition, values, options)]


def _number(expr: ir.Expr, values: Mapping[str, float]) -> float:
    match expr:
        case ir.Sym(name):
            return values[name]
        case ir.Const(value):
            return float(value)
        case ir.Negate(x):
            return -_number(x, values)
        case ir.Binary(op, a, b):
            return float(OPERATORS[op](_number(a, values), _number(b, values)))
    raise SpecError(f"{type(expr).__name__} is no number that a requirement can use")
