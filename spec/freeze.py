"""Sympy expressions into IR nodes, in the order in which they were written.

Under `sympy.evaluate(False)` the `.args` of every node keep the written order, but sympy has no
subtraction, division or negation: they are rebuilt here from `Mul(-1, x)` and `Pow(x, -1)`. So
`x * (1 / y)` reads `x / y`; where the reciprocal must be rounded, give it an equation of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, cast

import sympy

from instep.spec import ir
from instep.spec.errors import SpecError

# Authored functions are undefined sympy functions: sympy neither evaluates, sorts nor dedupes them.
PREFIX = "instep_"

# Arguments of the authored functions; those not listed take one.
ARITY = {"max": 2, "min": 2, "where": 3, "matmul": 2, "at": 2}

_ELEMENTARY = {
    "Abs": "abs",
    "sign": "sign",
    "exp": "exp",
    "log": "log",
    "floor": "floor",
    "cos": "cos",
}
_RELATIONS = {
    "StrictGreaterThan": ">",
    "GreaterThan": ">=",
    "StrictLessThan": "<",
    "LessThan": "<=",
}
_FORBIDDEN = {
    "Max": "use maximum(a, b): sympy.Max sorts and drops its arguments",
    "Min": "use minimum(a, b): sympy.Min sorts and drops its arguments",
    "Piecewise": "use where(condition, a, b) for lanes, when(condition) for branches",
    "Equality": "use equal(a, b)",
    "Unequality": "use ~equal(a, b)",
    "And": "use holds(a > b) & (c > d)",
    "Or": "use holds(a > b) | (c > d)",
    "Not": "use ~holds(a > b)",
    "BooleanTrue": "`==` gave a Python bool; use equal(a, b)",
    "BooleanFalse": "`==` gave a Python bool; use equal(a, b)",
    "MatMul": "use matmul(a, b)",
    "Transpose": "use transpose(a)",
}
_KNOWN = "known are + - * / ** %, abs() and the functions of instep.spec.author"


def function(name: str) -> Any:
    """An undefined sympy function that freezes into an IR node."""
    return sympy.Function(PREFIX + name, real=True)


def freeze(expr: Any, conditions: Sequence[ir.Expr] = ()) -> ir.Expr:
    """The IR of an expression; `conditions` are those that `where(...)` refers to by number."""
    # A string would be evaluated as Python, and a list would become a matrix.
    if not isinstance(expr, sympy.Basic | int | float | Fraction):
        raise SpecError(f"expected an expression or a number, found {expr!r}")
    return _Freezer(conditions).expression(sympy.sympify(expr))


class _Freezer:
    """One pass over a sympy tree."""

    def __init__(self, conditions: Sequence[ir.Expr]) -> None:
        self.conditions = conditions

    def expression(self, e: Any) -> ir.Expr:
        """The IR of one sympy node and all below it."""
        if e.is_Symbol:
            return ir.Sym(e.name)
        if e.is_Number:
            return self._number(e)
        if e.is_Add:
            return self._sum(e.args)
        if e.is_Mul:
            return self._signed_product(e.args)
        if e.is_Pow:
            return self._power(*e.args)
        if e is sympy.pi:
            return ir.Call("pi", ())
        return self._named(e)

    def _number(self, e: Any) -> ir.Expr:
        if e.is_Integer:
            return ir.Const(int(e))
        if e.is_Rational:
            return ir.Const(Fraction(int(e.p), int(e.q)))
        if e.is_Float:
            return ir.Const(float(e))
        if e in (sympy.oo, -sympy.oo):
            return ir.Const(float(e))
        raise SpecError(f"{e} is no number")

    def _sum(self, args: Sequence[Any]) -> ir.Expr:
        out = self.expression(args[0])
        for term in args[1:]:
            positive = self._without_minus(term)
            if positive is None:
                out = ir.Binary("+", out, self.expression(term))
            else:
                out = ir.Binary("-", out, positive)
        return out

    def _without_minus(self, term: Any) -> ir.Expr | None:
        """The frozen `x` of a term `-x`, None for a term that is not negated."""
        if term.is_Number:
            return self.expression(-term) if term.is_negative else None
        if not (term.is_Mul and term.args[0].is_Number and term.args[0].is_negative):
            return None
        factor, rest = -term.args[0], term.args[1:]
        return self._product(rest if factor == 1 else (factor, *rest))

    def _signed_product(self, args: Sequence[Any]) -> ir.Expr:
        if args[0] == -1 and len(args) > 1:
            return ir.Negate(self._product(args[1:]))
        return self._product(args)

    def _product(self, args: Sequence[Any]) -> ir.Expr:
        out: ir.Expr | None = None
        for factor in args:
            divides = factor.is_Pow and factor.args[1] == -1
            x = self.expression(factor.args[0] if divides else factor)
            if out is None:
                out = ir.Binary("/", ir.Const(1), x) if divides else x
            else:
                out = ir.Binary("/" if divides else "*", out, x)
        assert out is not None
        return out

    def _power(self, base: Any, exponent: Any) -> ir.Expr:
        if exponent == -1:
            return ir.Binary("/", ir.Const(1), self.expression(base))
        if exponent == sympy.S.Half:
            return ir.Call("sqrt", (self.expression(base),))
        return ir.Binary("**", self.expression(base), self.expression(exponent))

    def _named(self, e: Any) -> ir.Expr:
        name = type(e).__name__
        args = tuple(e.args)
        if name in _RELATIONS:
            return ir.Compare(_RELATIONS[name], self.expression(args[0]), self.expression(args[1]))
        if name == "Mod":
            return ir.Binary("%", self.expression(args[0]), self.expression(args[1]))
        if name in _ELEMENTARY:
            return ir.Call(_ELEMENTARY[name], tuple(map(self.expression, args)))
        if name in _FORBIDDEN:
            raise SpecError(f"{name} cannot be used in a specification; {_FORBIDDEN[name]}")
        if not name.startswith(PREFIX):
            raise SpecError(f"{e} has no meaning in a specification; {_KNOWN}")
        return self._authored(name.removeprefix(PREFIX), args)

    def _name(self, function: str, x: Any) -> str:
        if not x.is_Symbol:
            raise SpecError(f"{function}() takes a declared symbol, not {_plain(x)}")
        return str(x.name)

    def _authored(self, name: str, args: tuple[Any, ...]) -> ir.Expr:
        go = self.expression
        match name, args:
            case "prev", (x,):
                return ir.Prev(self._name(name, x))
            case "grad", (x,):
                return ir.Grad(go(x))
            case "loss", (x,):
                return ir.Loss(go(x))
            case "where", (number, a, b):
                return ir.Where(self.conditions[int(number)], go(a), go(b))
            case "matmul", (a, b):
                return ir.MatMul(go(a), go(b))
            case "transpose", (a,):
                return ir.Transpose(go(a))
            case "at", (x, i):
                return ir.At(self._name(name, x), go(i))
            case "length", (x,):
                return ir.Len(self._name(name, x))
        expected = ARITY.get(name, 1)
        if len(args) != expected:
            raise SpecError(f"{name} takes {expected} arguments, not {len(args)}")
        if name in ir.FUNCTIONS:
            return ir.Call(name, tuple(map(go, args)))
        op, _, over = name.partition("_")
        return ir.Reduce(op, cast(ir.Axis, over), go(args[0]))


def _plain(e: Any) -> str:
    """A sympy expression as its author wrote it."""
    return str(e).replace(PREFIX, "")
