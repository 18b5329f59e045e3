"""Expressions as one line of text, both ways: `lr*m/(sqrt(v) + eps)` to IR and back.

Substitutions and bindings are given as text on a command line and in tests, and reports print
equations; reading what was printed gives the same tree.
"""

from __future__ import annotations

import ast
from fractions import Fraction

from instep.spec import ir
from instep.spec.errors import SpecError

_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.Mod: "%",
}  # fmt: skip
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip

# How tightly each operator binds; a child that binds less tightly is put in parentheses.
_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(9)
_LEVEL = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "%": _PRODUCT, "**": _POWER}


def parse(text: str) -> ir.Expr:
    """Read an expression such as `eps*sqrt(1 - beta2**t)` in the order in which it is written.

    Raises SpecError for anything that is not arithmetic over names, numbers and known functions.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise SpecError(f"{text!r} is no expression: {error.msg}") from error
    return _read(tree, text)


def _read(node: ast.expr, text: str) -> ir.Expr:
    match node:
        case ast.Name(name):
            return ir.Sym(name)
        case ast.Constant(int() | float() as value) if not isinstance(value, bool):
            return ir.Const(value)
        case ast.UnaryOp(ast.USub(), operand):
            return ir.Negate(_read(operand, text))
        case ast.BinOp(left, operator, right) if type(operator) in _OPERATORS:
            return ir.Binary(_OPERATORS[type(operator)], _read(left, text), _read(right, text))
        case ast.Compare(left, [operator], [right]) if type(operator) in _COMPARISONS:
            return ir.Compare(_COMPARISONS[type(operator)], _read(left, text), _read(right, text))
        case ast.Call(ast.Name(function), arguments, []):
            return _read_call(function, arguments, text)
    raise SpecError(f"{text!r}: cannot read {ast.unparse(node)!r}; write arithmetic over names")


def _read_call(function: str, arguments: list[ast.expr], text: str) -> ir.Expr:
    match function, [_read(x, text) for x in arguments]:
        case "prev", [ir.Sym(name)]:
            return ir.Prev(name)
        case "grad", [at]:
            return ir.Grad(at)
        case _, operands if function in ir.FUNCTIONS:
            return ir.Call(function, tuple(operands))
    known = ", ".join(sorted(ir.FUNCTIONS))
    raise SpecError(f"{text!r}: unknown function {function}; known are {known}")


def infix(expr: ir.Expr) -> str:
    """One line of text in the written order, with no parenthesis that is not needed."""
    return _write(expr, 0)


def negated(condition: ir.Expr) -> ir.Expr:
    """The opposite of a condition."""
    return ir.Logic("not", (condition,))


def simplest(condition: ir.Expr) -> ir.Expr:
    """The condition without `not` in front of `not` or of a comparison with an equals sign."""
    match condition:
        case ir.Logic("not", (ir.Logic("not", (inner,)),)):
            return simplest(inner)
        case ir.Logic("not", (ir.Compare("==" | "!=" as op, a, b),)):
            return ir.Compare("!=" if op == "==" else "==", a, b)
    return condition


def _write(expr: ir.Expr, level: int) -> str:
    text, own = _text(expr)
    return f"({text})" if own < level else text


def _text(expr: ir.Expr) -> tuple[str, int]:
    """(text, how tightly its outermost operator binds)."""
    match expr:
        case ir.Sym(name) | ir.Opt(name):
            return name, _ATOM
        case ir.Const(value):
            return _number(value)
        case ir.Value(option):
            return str(option), _ATOM
        case ir.Binary(op, a, b):
            return _binary(op, a, b)
        case ir.Negate(a):
            return f"-{_write(a, _POWER)}", _SIGN
        case ir.Compare(op, a, b):
            return f"{_write(a, _SUM)} {op} {_write(b, _SUM)}", _COMPARISON
        case ir.Logic("not", (a,)):
            return f"not {_write(a, _COMPARISON)}", _NOT
        case ir.Logic(op, operands):
            own = _OR if op == "or" else _AND
            return f" {op} ".join(_write(x, own + 1) for x in operands), own
    return _function(expr), _ATOM


def _number(value: ir.Number) -> tuple[str, int]:
    text = str(value)
    if isinstance(value, Fraction) and value.denominator != 1:
        return text, _PRODUCT
    return text, _SIGN if value < 0 else _ATOM


def _binary(op: str, a: ir.Expr, b: ir.Expr) -> tuple[str, int]:
    own = _LEVEL[op]
    if op == "**":
        return f"{_write(a, _ATOM)}**{_write(b, _ATOM)}", own
    gap = " " if own == _SUM else ""
    return f"{_write(a, own)}{gap}{op}{gap}{_write(b, own + 1)}", own


def _function(expr: ir.Expr) -> str:
    match expr:
        case ir.Prev(name):
            return f"prev({name})"
        case ir.Absent(name):
            return f"absent({name})"
        case ir.Touched():
            return "touched(theta)"
        case ir.Len(name):
            return f"len({name})"
        case ir.At(name, index):
            return f"{name}[{infix(index)}]"
        case ir.Call(function, arguments):
            return f"{function}({', '.join(map(infix, arguments))})"
        case ir.Reduce(op, over, a):
            return f"{op}_{over}({infix(a)})"
        case ir.Where() | ir.MatMul() | ir.Transpose() | ir.Grad() | ir.Loss():
            name = type(expr).__name__.lower()
            return f"{name}({', '.join(map(infix, ir.children(expr)))})"
    raise SpecError(f"unknown expression node {type(expr).__name__}")
