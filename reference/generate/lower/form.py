"""The form between the passes: assignments and branches in which a name has one value on a path.

Versions of a symbol are spelled with a dot: `theta.0` is the value when the step began, `theta.1`
the first one that an equation gave it. A branch joins its two sides by giving both the same name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from instep.spec import ir
from instep.spec.rewriting import rewrite
from instep.spec.scope import Scope, Scopes


@dataclass(frozen=True, slots=True)
class Assign:
    """`target = value`; one or more authored equations, or a helper if `sources` is empty.

    `stores` is the symbol (a state, or the parameter) whose new value this is.
    """

    target: str
    value: ir.Expr
    sources: tuple[ir.Let, ...] = ()
    stores: str = ""


@dataclass(frozen=True, slots=True)
class Branch:
    """Two blocks, one of which runs."""

    condition: ir.Expr
    then: Block
    otherwise: Block


Statement = Assign | Branch
Block = tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """What the passes turn into one another: a block, the name of the new parameter, the scopes."""

    block: Block
    result: str
    scopes: Scopes

    def with_block(self, block: Block) -> Program:
        """The same program with other statements."""
        return replace(self, block=block)

    def on_host(self, expr: ir.Expr) -> bool:
        """Whether an expression is one number for each parameter, known without tensor data."""
        return self.scopes.of(expr).on_host

    def declare(self, name: str, scope: Scope) -> None:
        """Make the scope of a new name known."""
        self.scopes.symbols[name] = scope

    def fresh(self, wanted: str) -> str:
        """A name of the generator's own that nothing bears yet: `_wanted`, `_wanted_2`, ...

        Of an equation of a composed algorithm, `radam.update`, the last part.
        """
        wanted = wanted.rpartition(".")[2]
        name, number = f"_{wanted}", 2
        while name in self.scopes.symbols:
            name, number = f"_{wanted}_{number}", number + 1
        return name


def symbol(name: str) -> str:
    """The symbol that a version belongs to."""
    return name.split(".")[0]


def statements(block: Block) -> Iterator[Statement]:
    """Every statement, nested ones included, in order."""
    for statement in block:
        yield statement
        if isinstance(statement, Branch):
            yield from statements(statement.then)
            yield from statements(statement.otherwise)


def assigns(block: Block) -> Iterator[Assign]:
    """Every assignment, nested ones included."""
    return (s for s in statements(block) if isinstance(s, Assign))


def leaves(expr: ir.Expr) -> Iterator[str]:
    """Names that an expression reads, as often as it reads them; the gradient reads `grad`."""
    match expr:
        case ir.Sym(name):
            yield name
        case ir.Grad():  # at the stored point, which it does not read
            yield "grad"
        case _:
            for child in ir.children(expr):
                yield from leaves(child)


def uses(block: Block) -> Counter[str]:
    """How often each name is read in a block."""
    count: Counter[str] = Counter()
    for statement in statements(block):
        count.update(
            leaves(statement.value if isinstance(statement, Assign) else statement.condition)
        )
    return count


def each_block(block: Block, change: Callable[[Block], Block]) -> Block:
    """A copy in which `change` was applied to every block, innermost first."""
    inner: list[Statement] = []
    for s in block:
        if isinstance(s, Branch):
            s = replace(
                s, then=each_block(s.then, change), otherwise=each_block(s.otherwise, change)
            )
        inner.append(s)
    return change(tuple(inner))


def each_value(block: Block, change: Callable[[ir.Expr], ir.Expr]) -> Block:
    """A copy in which `change` was applied to the value of every assignment."""

    def one(s: Statement) -> Statement:
        match s:
            case Assign():
                return replace(s, value=change(s.value))
            case Branch(condition, then, otherwise):
                return Branch(condition, each_value(then, change), each_value(otherwise, change))

    return tuple(map(one, block))


def substitute(expr: ir.Expr, values: dict[str, ir.Expr]) -> ir.Expr:
    """An expression in which names are replaced."""
    return rewrite(expr, lambda x: values.get(x.name) if isinstance(x, ir.Sym) else None)
