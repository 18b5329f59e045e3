"""IR to sympy, for printing and for whoever wants to go on with sympy.

Symbols carry what their domain says (real, nonnegative, positive, integer), and a term `1 - x` that
is positive for every admissible x becomes one positive symbol where asked for: sympy simplifies
roots of such symbols, and does not see that `1 - beta**t` is positive. The IR stays the truth;
nothing is read back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf

import sympy

from instep.spec import ir
from instep.spec.algebra.cases import Context
from instep.spec.algebra.execute import Execution, UndefinedError, UnsupportedError
from instep.spec.algebra.expressions import infix
from instep.spec.algebra.invariants import nonnegative_states
from instep.spec.algebra.normal import NormalDomain
from instep.spec.algebra.program import Program, Subject, program
from instep.spec.algebra.ratios import Ring
from instep.spec.algebra.symbolic import NONNEGATIVE, Leaves, counted_from
from instep.spec.arguments import REALS, Domain
from instep.spec.errors import SpecError

_RELATIONS: dict[str, Callable[..., sympy.Basic]] = {
    "==": sympy.Eq, "!=": sympy.Ne, "<": sympy.Lt, "<=": sympy.Le, ">": sympy.Gt, ">=": sympy.Ge,
}  # fmt: skip
_FUNCTIONS = {"abs": sympy.Abs, "max": sympy.Max, "min": sympy.Min}


def to_sympy(expr: ir.Expr, subject: Subject | None = None, *, opaque: bool = False) -> sympy.Expr:
    """The sympy expression of an IR expression.

    `subject` gives symbols the assumptions of its domains, and its states those of its invariants;
    without it all are real. With `opaque`, positive terms `1 - x` become positive symbols.
    """
    return Translator(None if subject is None else program(subject), opaque=opaque).expression(expr)


@dataclass
class Translator:
    """Translates expressions of one program; `definitions` says what its opaque symbols stand for.

    `stored` names the symbol of `prev(x)`, which is not the symbol of x.
    """

    program: Program | None = None
    opaque: bool = False
    stored: str = "prev({})"
    definitions: dict[sympy.Symbol, sympy.Expr] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.domains: dict[str, Domain] = {}
        if self.program is not None:
            self.domains = dict.fromkeys(nonnegative_states(self.program), NONNEGATIVE)
            self.domains |= self.program.domains
            if self.program.counter is not None:
                self.domains[self.program.counter] = counted_from(self.program.start)

    def symbol(self, name: str, printed: str = "") -> sympy.Symbol:
        """The symbol of a hyperparameter, a state, a local, the counter."""
        return sympy.Symbol(printed or name, **assumptions(self.domains.get(name, REALS)))

    def expression(self, expr: ir.Expr) -> sympy.Expr:
        """Translate one expression; raises SpecError for a node that it does not know."""
        go = self.expression
        match expr:
            case ir.Sym(name):
                return self.symbol(name)
            case ir.Prev(name):
                return self.symbol(name, self.stored.format(name))
            case ir.Const(value) if value in (inf, -inf):
                return sympy.oo if value > 0 else -sympy.oo
            case ir.Call("pi", ()):
                return sympy.pi
            case ir.Const(value):
                exact = Fraction(value)
                return sympy.Rational(exact.numerator, exact.denominator)
            case ir.Binary("-", ir.Const(1), subtrahend) if self.opaque and self._is_positive(expr):
                return self._positive_symbol(1 - go(subtrahend), infix(expr))
            case ir.Binary(op, a, b):
                return _binary(op, go(a), go(b))
            case ir.Negate(a):
                return -go(a)
            case ir.Call("sqrt", (a,)):
                return sympy.sqrt(go(a))
            case ir.Call(function, xs):
                known = _FUNCTIONS.get(function) or getattr(
                    sympy, function, sympy.Function(function)
                )
                return known(*map(go, xs))
        return self._rare(expr)

    def _rare(self, expr: ir.Expr) -> sympy.Expr:
        match expr:
            case ir.Where(condition, a, b):
                branches = (
                    (self.expression(a), self.condition(condition)),
                    (self.expression(b), True),
                )
                return sympy.Piecewise(*branches)
            case ir.Grad(at):
                point = self.expression(at)
                here = point == self.expression(ir.Prev(ir.THETA))
                return sympy.Symbol("g", real=True) if here else _applied("grad", point)
            case ir.Reduce(op, over, a):
                return _applied(f"{op}_{over}", self.expression(a))
            case ir.Loss() | ir.MatMul() | ir.Transpose():
                arguments = map(self.expression, ir.children(expr))
                return _applied(type(expr).__name__.lower(), *arguments)
            case ir.At(name, index):
                return _applied(name, self.expression(index))
            case ir.Len(name):
                return sympy.Symbol(f"len({name})", integer=True, nonnegative=True)
        raise SpecError(f"unknown expression node {type(expr).__name__}")

    def condition(self, condition: ir.Expr) -> sympy.Basic:
        """A condition as a sympy relation."""
        match condition:
            case ir.Compare(op, a, b):
                return _RELATIONS[op](self.expression(a), self.expression(b))
            case ir.Logic(op, xs):
                combine = {"and": sympy.And, "or": sympy.Or, "not": sympy.Not}[op]
                return combine(*map(self.condition, xs))
            case ir.Absent(name):
                return sympy.Symbol(f"absent({name})")
            case ir.Touched():
                return sympy.Symbol("touched")
        raise SpecError(f"{type(condition).__name__} is no condition")

    def _is_positive(self, expr: ir.Expr) -> bool:
        """Whether a term of hyperparameters and the counter is positive on their domains."""
        if self.program is None:
            return False
        domain = NormalDomain(Context(Ring()))
        given = Leaves(self.program.domains).given(domain, self.program)
        try:
            value = Execution(self.program, domain, given, {}).evaluate(expr)
        except (UndefinedError, UnsupportedError):
            return False
        return domain.context.signs_of(value) == {1}

    def _positive_symbol(self, value: sympy.Expr, name: str) -> sympy.Symbol:
        symbol = sympy.Symbol(f"({name})", positive=True)
        self.definitions[symbol] = value
        return symbol


def assumptions(domain: Domain) -> dict[str, bool]:
    """Sympy's assumptions for a number of a domain."""
    out = {"real": True}
    if domain.integer:
        out["integer"] = True
    if domain.lower > 0 or (domain.lower == 0 and not domain.lower_closed):
        out["positive"] = True
    elif domain.lower == 0:
        out["nonnegative"] = True
    return out


def _applied(function: str, *arguments: sympy.Expr) -> sympy.Expr:
    return sympy.Function(function, real=True)(*arguments)


def _binary(op: str, a: sympy.Expr, b: sympy.Expr) -> sympy.Expr:
    match op:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "/":
            return a / b
        case "**":
            return a**b
        case "%":
            return sympy.Mod(a, b)
    raise SpecError(f"unknown operator {op}")
