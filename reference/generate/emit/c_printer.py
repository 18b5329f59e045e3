"""Expressions of one lane as C, with no parenthesis too many.

As in the printer of Python, the text evaluates in exactly the order of the tree.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from instep.reference.generate.errors import unknown
from instep.spec import ir

# Binding strength in C, weakest first.
CHOICE, OR, AND, EQUAL, COMPARE, SUM, PRODUCT, SIGN, ATOM = range(1, 10)
_BINARY = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT}
_COMPARE = {"==": EQUAL, "!=": EQUAL, "<": COMPARE, "<=": COMPARE, ">": COMPARE, ">=": COMPARE}
# Those of lanes.h, and of C's own <tgmath.h>, which takes the type from the argument.
_FUNCTIONS = {"max": "maximum", "min": "minimum", "abs": "fabs", "sign": "sign", "lerp": "lerp"}
_MATH = frozenset({"sqrt", "exp", "log", "floor", "cos"})


class CPrinter:
    """Prints expressions; `switch` spells the conditions that the host decides."""

    def __init__(self, switch: Callable[[ir.Expr], str | None]) -> None:
        self.switch = switch

    def __call__(self, expr: ir.Expr, level: int = 0) -> str:
        """The text, in parentheses where `level` binds stronger than its outermost operator."""
        text, strength = self._text(expr)
        return f"({text})" if strength < level else text

    def _text(self, expr: ir.Expr) -> tuple[str, int]:
        name = self.switch(expr)
        if name is not None:
            return name, ATOM
        match expr:
            case ir.Sym(variable):
                return variable, ATOM
            case ir.Grad():
                return "grad", ATOM
            case ir.Const(value):
                return _number(value)
            case ir.At(array, index):
                return f"load({array}[{self(index)}])", ATOM
            case ir.Binary("**", base, exponent):
                return f"pow({self(base)}, {self(exponent)})", ATOM
            case ir.Binary(op, left, right) if op in _BINARY:
                strength = _BINARY[op]
                return f"{self(left, strength)} {op} {self(right, strength + 1)}", strength
            case ir.Negate(operand):
                return f"-{self(operand, ATOM)}", SIGN
            case ir.Compare(op, left, right) if op in _COMPARE:
                strength = _COMPARE[op]
                return f"{self(left, SUM)} {op} {self(right, SUM)}", strength
            case ir.Logic("not", (operand,)):
                return f"!{self(operand, ATOM)}", SIGN
            case ir.Logic(op, operands):
                sign, strength = ("&&", AND) if op == "and" else ("||", OR)
                return f" {sign} ".join(self(x, EQUAL) for x in operands), strength
            case ir.Where(condition, then, otherwise):
                texts = self(condition, OR), self(then, OR), self(otherwise, OR)
                return "{} ? {} : {}".format(*texts), CHOICE
            case ir.Call(function, arguments):
                return self._call(function, arguments), ATOM
        raise unknown("C", expr)

    def _call(self, function: str, arguments: tuple[ir.Expr, ...]) -> str:
        name = function if function in _MATH else _FUNCTIONS.get(function)
        if name is None:
            raise unknown("C", ir.Call(function, arguments))
        return f"{name}({', '.join(map(self, arguments))})"


def _number(value: ir.Number) -> tuple[str, int]:
    """A whole number as it is; any other in the type of the lanes, or C would compute in double."""
    if isinstance(value, Fraction):
        if value.denominator != 1:
            return f"(real)({value.numerator}.0 / {value.denominator}.0)", SIGN
        value = value.numerator
    if value == int(value):
        return str(int(value)), SIGN if value < 0 else ATOM
    return f"(real){value!r}", SIGN
