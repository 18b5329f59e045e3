"""What all printers share: the match over nodes, and parentheses where and only where they tell.

A printed expression keeps its tree: `a + (b + c)` has its parentheses, `(a + b) + c` needs none.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from fractions import Fraction
from typing import ClassVar, NamedTuple

from instep.spec import ir
from instep.spec.arguments import TypeEps
from instep.spec.errors import SpecError


class Level(IntEnum):
    """How tightly the outermost operation of a printed expression binds."""

    OR = 1
    AND = 2
    NOT = 3
    COMPARE = 4
    MODULO = 5
    SUM = 6
    PRODUCT = 7
    NEGATE = 8
    POWER = 9
    ATOM = 10


class Printed(NamedTuple):
    """Text, and what binds it together."""

    text: str
    level: Level


class Printer:
    """An expression as text in one notation; subclasses say how the leaves and functions look.

    Raises SpecError that names the node, operator or function that it does not know.
    """

    minus: ClassVar[str] = "-"
    type_eps: ClassVar[str] = "machine epsilon"
    parentheses: ClassVar[tuple[str, str]] = ("(", ")")
    sums: ClassVar[dict[str, str]] = {"+": " + ", "-": " - "}
    products: ClassVar[dict[str, str]] = {"*": "*", "/": "/"}
    modulo: ClassVar[str] = " % "
    matrix_product: ClassVar[str] = " @ "
    relations: ClassVar[dict[str, str]] = {
        op: f" {op} " for op in ("==", "!=", "<", "<=", ">", ">=")
    }
    words: ClassVar[dict[str, str]] = {"and": " and ", "or": " or ", "not": "not "}

    def show(self, expr: ir.Expr) -> str:
        """The text of an expression."""
        return self.printed(expr).text

    def operand(self, expr: ir.Expr, least: Level, *, right: bool = False) -> str:
        """The text of a part: in parentheses where it binds less tightly than `least`.

        To the right of an operator a leading minus takes them too: `a - (-b)`.
        """
        text, level = self.printed(expr)
        if level < least or (right and text.startswith(self.minus)):
            return self.wrapped(text)
        return text

    def wrapped(self, text: str) -> str:
        """Text in parentheses."""
        left, right = self.parentheses
        return f"{left}{text}{right}"

    def printed(self, expr: ir.Expr) -> Printed:
        """Text and level of an expression."""
        match expr:
            case ir.Sym(name):
                return self.symbol(name)
            case ir.Prev(name):
                return self.previous(name)
            case ir.Const(value):
                return self.number(value)
            case ir.Binary(op, a, b):
                return self.binary(op, a, b)
            case ir.Negate(x):
                return Printed(self.minus + self.operand(x, Level.POWER, right=True), Level.NEGATE)
            case ir.Call(function, xs):
                if function not in ir.FUNCTIONS:
                    raise SpecError(f"the printer does not know the function {function}")
                return self.call(function, xs)
            case ir.Compare() | ir.Logic() | ir.Opt() | ir.Value() | ir.Absent() | ir.Touched():
                return self.condition(expr)
            case ir.Where(c, a, b):
                return self.where(c, a, b)
            case ir.Reduce(op, over, x):
                return self.reduce(op, over, x)
            case ir.MatMul(a, b):
                return self.infix(self.matrix_product, a, b, Level.PRODUCT)
            case ir.Transpose(x):
                return self.transpose(x)
            case ir.Grad(x):
                return self.gradient(x)
            case ir.Loss(x):
                return self.loss(x)
            case ir.At(name, index):
                return self.entry(name, index)
            case ir.Len(name):
                return self.length(name)
        raise SpecError(f"the printer does not know the node {type(expr).__name__}")

    def infix(self, sign: str, a: ir.Expr, b: ir.Expr, level: Level) -> Printed:
        """`a sign b`, grouped from the left."""
        left = self.operand(a, level)
        return Printed(left + sign + self.operand(b, Level(level + 1), right=True), level)

    def binary(self, op: str, a: ir.Expr, b: ir.Expr) -> Printed:
        """Arithmetic."""
        if op in self.sums:
            return self.infix(self.sums[op], a, b, Level.SUM)
        if op == "/":
            return self.quotient(a, b)
        if op == "*":
            return self.product(a, b)
        if op == "%":
            # No habit says how modulo binds, so its operands and the whole bind visibly.
            left = self.operand(a, Level.POWER)
            return Printed(left + self.modulo + self.operand(b, Level.POWER), Level.MODULO)
        if op == "**":
            return self.power(a, b)
        raise SpecError(f"the printer does not know the operator {op!r}")

    def product(self, a: ir.Expr, b: ir.Expr) -> Printed:
        """`a * b`."""
        return self.infix(self.products["*"], a, b, Level.PRODUCT)

    def quotient(self, a: ir.Expr, b: ir.Expr) -> Printed:
        """`a / b`."""
        return self.infix(self.products["/"], a, b, Level.PRODUCT)

    def condition(self, expr: ir.Expr) -> Printed:
        """A comparison, a combination of conditions, an option or its value."""
        match expr:
            case ir.Compare("==", ir.Opt(name), ir.Value(bool(value))):
                return self.switch(name) if value else self.negation(expr.left)
            case ir.Compare(op, a, b):
                return self.comparison(op, a, b)
            case ir.Logic("not", (ir.Compare("==", ir.Opt() as a, ir.Value(bool(value))),)):
                return self.negation(a) if value else self.switch(a.name)
            case ir.Logic("not", (ir.Compare("==", a, b),)):
                return self.comparison("!=", a, b)
            case ir.Logic("not", (ir.Absent(name) as x,)):
                return self.present(name) or self.negation(x)
            case ir.Logic("not", (x,)):
                return self.negation(x)
            case ir.Logic("and" | "or" as op, xs):
                level = Level.AND if op == "and" else Level.OR
                return Printed(
                    self.words[op].join(self.operand(x, Level(level + 1)) for x in xs), level
                )
            case ir.Opt(name):
                return self.switch(name)
            case ir.Value(value):
                return self.option_value(value)
            case ir.Absent(name):
                return self.absent(name)
            case ir.Touched():
                return self.touched()
        raise SpecError(f"the printer does not know the condition {expr}")

    def comparison(self, op: str, a: ir.Expr, b: ir.Expr) -> Printed:
        """`a op b`."""
        if op not in self.relations:
            raise SpecError(f"the printer does not know the relation {op!r}")
        least = Level(Level.COMPARE + 1)
        text = self.operand(a, least) + self.relations[op] + self.operand(b, least)
        return Printed(text, Level.COMPARE)

    def negation(self, x: ir.Expr) -> Printed:
        """`not x`."""
        return Printed(self.words["not"] + self.operand(x, Level.COMPARE), Level.NOT)

    def arguments(self, xs: Sequence[ir.Expr]) -> str:
        """Arguments of a function, which need no parentheses of their own."""
        return ", ".join(map(self.show, xs))

    def number(self, value: ir.Number) -> Printed:
        """A literal number."""
        if isinstance(value, Fraction):
            return self.fraction(value)
        text = self.digits(abs(value))
        negative = value < 0 or str(value).startswith("-")
        return Printed(self.minus + text, Level.NEGATE) if negative else Printed(text, Level.ATOM)

    def default(self, value: int | float) -> str:
        """A hyperparameter's default."""
        return self.type_eps if isinstance(value, TypeEps) else self.number(value).text

    def digits(self, value: int | float) -> str:
        """A number that is not negative, so that reading it gives the same number."""
        return repr(value)

    # The leaves and functions, which each notation writes in its own way.

    def symbol(self, name: str) -> Printed:
        """The current value of a symbol."""
        raise NotImplementedError

    def previous(self, name: str) -> Printed:
        """The stored value of a state."""
        raise NotImplementedError

    def fraction(self, value: Fraction) -> Printed:
        """An exact fraction."""
        raise NotImplementedError

    def power(self, base: ir.Expr, exponent: ir.Expr) -> Printed:
        """`base ** exponent`."""
        raise NotImplementedError

    def call(self, function: str, xs: Sequence[ir.Expr]) -> Printed:
        """A function of the arguments."""
        raise NotImplementedError

    def where(self, condition: ir.Expr, a: ir.Expr, b: ir.Expr) -> Printed:
        """A choice lane by lane."""
        raise NotImplementedError

    def reduce(self, op: str, over: str, x: ir.Expr) -> Printed:
        """A sum, mean or maximum over an axis."""
        raise NotImplementedError

    def transpose(self, x: ir.Expr) -> Printed:
        """The last two axes swapped."""
        raise NotImplementedError

    def gradient(self, at: ir.Expr) -> Printed:
        """The gradient of the loss at a point."""
        raise NotImplementedError

    def loss(self, at: ir.Expr) -> Printed:
        """The loss at a point."""
        raise NotImplementedError

    def entry(self, name: str, index: ir.Expr) -> Printed:
        """An element of a history, or of an indexed local."""
        raise NotImplementedError

    def length(self, name: str) -> Printed:
        """The number of entries of a history."""
        raise NotImplementedError

    def absent(self, state: str) -> Printed:
        """That a state has not been stored yet."""
        raise NotImplementedError

    def touched(self) -> Printed:
        """That a sparse gradient names the lane."""
        raise NotImplementedError

    def present(self, state: str) -> Printed | None:
        """That a state has been stored, None where that is said as `not absent`."""
        return None

    def switch(self, option: str) -> Printed:
        """An option by its name."""
        raise NotImplementedError

    def option_value(self, value: str | bool) -> Printed:
        """A value of an option."""
        raise NotImplementedError
