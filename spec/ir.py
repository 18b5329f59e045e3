"""The intermediate representation: expression nodes, statements, and ways to walk them.

A specification is data. Everything that reads one (validator, interpreter, algebra, printers)
matches over the node types below and fails by name on a node that it does not know. Order is kept
as written: `a + b` and `b + a` are different trees. Sums of three round differently by order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from instep.spec.errors import SpecError

Axis = Literal["all", "rows", "cols", "units", "params"]
Number = int | float | Fraction

SHAPE_FUNCTIONS = frozenset({"rows", "cols", "unit_size", "numel", "ndim"})
FUNCTIONS = (
    frozenset({"sqrt", "abs", "sign", "max", "min", "exp", "log", "floor", "cos", "pi"})
    | SHAPE_FUNCTIONS
)
THETA = "theta"


@dataclass(frozen=True, slots=True)
class Sym:
    """Current value of a symbol: parameter, state, hyperparameter, local, or step counter."""

    name: str


@dataclass(frozen=True, slots=True)
class Prev:
    """Value of a state or the parameter when the step began; legal after a reassignment too."""

    name: str


@dataclass(frozen=True, slots=True)
class Const:
    """A literal number; fractions stay exact."""

    value: Number


@dataclass(frozen=True, slots=True)
class Opt:
    """A static switch of the algorithm; only ever compared with one of its values."""

    name: str


@dataclass(frozen=True, slots=True)
class Value:
    """A value of an option, the right-hand side of a comparison with `Opt`."""

    value: str | bool


@dataclass(frozen=True, slots=True)
class Binary:
    """`left op right` with op one of + - * / ** %."""

    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Negate:
    """Unary minus."""

    operand: Expr


@dataclass(frozen=True, slots=True)
class Call:
    """A function of `FUNCTIONS`, lane by lane, or a shape query of `SHAPE_FUNCTIONS`."""

    function: str
    arguments: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """`left op right` with op one of == != < <= > >=."""

    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Logic:
    """and, or, not."""

    op: str
    operands: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Where:
    """Choice lane by lane."""

    condition: Expr
    then: Expr
    otherwise: Expr


@dataclass(frozen=True, slots=True)
class Reduce:
    """sum, mean or max over all lanes, rows (last axis), cols (second last), or all parameters.

    `units` is over all axes but the first: a row of weights, a filter; a vector is one unit.
    """

    op: str
    over: Axis
    operand: Expr


@dataclass(frozen=True, slots=True)
class MatMul:
    """Matrix product over the last two axes."""

    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Transpose:
    """Last two axes swapped."""

    operand: Expr


@dataclass(frozen=True, slots=True)
class Grad:
    """One evaluation of the gradient of the loss, at a point."""

    at: Expr


@dataclass(frozen=True, slots=True)
class Loss:
    """The loss at a point (the same evaluation as `Grad` there)."""

    at: Expr


@dataclass(frozen=True, slots=True)
class Absent:
    """True until a state without initial value is first stored (torch's momentum_buffer)."""

    state: str


@dataclass(frozen=True, slots=True)
class Touched:
    """True on the lanes that a sparse gradient names, zeros among them; on all of a dense one."""


@dataclass(frozen=True, slots=True)
class At:
    """Element of a history, or of an indexed local."""

    name: str
    index: Expr


@dataclass(frozen=True, slots=True)
class Len:
    """Number of entries of a history."""

    name: str


Expr = (
    Sym | Prev | Const | Opt | Value | Binary | Negate | Call | Compare | Logic | Where | Reduce
    | MatMul | Transpose | Grad | Loss | Absent | Touched | At | Len
)  # fmt: skip


def _line() -> int:
    """Line of the specification file, for errors; it takes no part in comparisons."""
    return field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Let:
    """`target = value`: one named equation; `form` tells alternatives of one quantity apart.

    `block` names the equations whose arithmetic may be narrower than the parameter's.
    """

    equation: str
    target: Sym | At
    value: Expr
    form: str = ""
    line: int = _line()
    block: str = ""


@dataclass(frozen=True, slots=True)
class If:
    """A branch; that options, shapes, scalars or data decide it is inferred from the condition."""

    condition: Expr
    then: Body
    otherwise: Body = ()
    line: int = _line()


@dataclass(frozen=True, slots=True)
class Repeat:
    """`for variable in range(start, stop)`, left early at `until`; from the top if `down`."""

    variable: str
    start: Expr
    stop: Expr
    body: Body
    until: Expr | None = None
    down: bool = False
    line: int = _line()


@dataclass(frozen=True, slots=True)
class Push:
    """Append `value` to a history of at most `size` entries; the oldest falls out."""

    equation: str
    history: str
    value: Expr
    size: Expr
    line: int = _line()


@dataclass(frozen=True, slots=True)
class Apply:
    """One step of the algorithm in `slot`; composition expands it, so only wrappers contain it."""

    slot: str
    gradient: Expr | None = None
    line: int = _line()


Stmt = Let | If | Repeat | Push | Apply
Body = tuple[Stmt, ...]


def children(expr: Expr) -> tuple[Expr, ...]:
    """Direct subexpressions, in written order."""
    match expr:  # the commonest first: everything that reads equations comes by here
        case Sym():
            return ()
        case Binary(_, a, b) | Compare(_, a, b) | MatMul(a, b):
            return (a, b)
        case Negate(a) | Transpose(a) | Grad(a) | Loss(a) | Reduce(_, _, a) | At(_, a):
            return (a,)
        case Call(_, xs) | Logic(_, xs):
            return xs
        case Where(c, a, b):
            return (c, a, b)
        case Prev() | Const() | Opt() | Value() | Absent() | Touched() | Len():
            return ()
    raise SpecError(f"unknown expression node {type(expr).__name__}")


def walk(expr: Expr) -> Iterator[Expr]:
    """The expression and all its subexpressions, outermost first."""
    left = [expr]
    while left:
        node = left.pop()
        yield node
        left.extend(reversed(children(node)))


def statements(body: Body) -> Iterator[Stmt]:
    """Every statement of a body, nested ones included, in written order."""
    for statement in body:
        yield statement
        match statement:
            case If(_, then, otherwise):
                yield from statements(then)
                yield from statements(otherwise)
            case Repeat(body=inner):
                yield from statements(inner)


def lets(body: Body) -> Iterator[Let]:
    """Every equation of a body, nested ones included."""
    return (s for s in statements(body) if isinstance(s, Let))


def expressions(statement: Stmt) -> tuple[Expr, ...]:
    """The expressions that a statement itself reads (not those of its nested bodies)."""
    match statement:
        case Let(_, At(_, index), value):
            return (value, index)
        case Let(_, _, value):
            return (value,)
        case If(condition):
            return (condition,)
        case Repeat(_, start, stop, _, until):
            return (start, stop) if until is None else (start, stop, until)
        case Push(_, _, value, size):
            return (value, size)
        case Apply(_, gradient):
            return () if gradient is None else (gradient,)
    raise SpecError(f"unknown statement {type(statement).__name__}")


def nodes(body: Body) -> Iterator[Expr]:
    """Every expression node that a body reads, nested statements included."""
    for statement in statements(body):
        for expr in expressions(statement):
            yield from walk(expr)


def assigned(body: Body) -> set[str]:
    """Names that a body assigns anywhere."""
    names = {s.target.name for s in lets(body)}
    return names | {s.history for s in statements(body) if isinstance(s, Push)}


def is_static(condition: Expr) -> bool:
    """Whether a condition is decided by options alone."""
    match condition:
        case Compare("==", Opt(), Value()):
            return True
        case Logic(_, xs):
            return all(map(is_static, xs))
    return False
