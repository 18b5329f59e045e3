"""Branches that the step counter decides, as selections: both sides computed, one result taken.

Where a step is captured in a graph, no number may be read on the host, so `if rho > 5:` cannot
choose. Branches on options, shapes and hyperparameters stay: they do not change between steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from instep.spec import ir
from instep.spec.model import Algorithm
from instep.spec.rewriting import rewrite


def select_branches(algorithm: Algorithm, body: ir.Body) -> ir.Body | None:
    """The body without branches on numbers that move; None where there are none, or no way."""
    moving = _moving(algorithm, body)
    branches = [s for s in ir.statements(body) if isinstance(s, ir.If) and _reads(s, moving)]
    inside = (s for b in branches for s in ir.statements((*b.then, *b.otherwise)))
    if not branches or any(isinstance(s, ir.Repeat | ir.Push) for s in inside):
        return None
    states = {s.name for s in algorithm.states}
    return _Selector(moving, states).body(body, _Side(have={ir.THETA}))


def _moving(algorithm: Algorithm, body: ir.Body) -> set[str]:
    """Numbers that change from step to step: counter, state of one number, what follows from it."""
    names = {s.name for s in algorithm.states if s.shape == "scalar"}
    if algorithm.counter is not None:
        names.add(algorithm.counter.name)
    size = 0
    while size != len(names):
        size = len(names)
        names |= {let.target.name for let in ir.lets(body) if _mentions(let.value, names)}
    return names


def _mentions(expr: ir.Expr, names: set[str]) -> bool:
    """Whether an expression reads a value; a shape is none, it stays as it is."""
    match expr:
        case ir.Sym(name) | ir.Prev(name):
            return name in names
        case ir.Call(function) if function in ir.SHAPE_FUNCTIONS:
            return False
    return any(_mentions(child, names) for child in ir.children(expr))


def _reads(branch: ir.If, names: set[str]) -> bool:
    return _mentions(branch.condition, names)


@dataclass
class _Side:
    """One side of a branch that is computed whatever the condition says.

    Attributes:
        word: ends the names of what the side assigns; empty outside of every branch.
        names: symbols by what holds them at this point.
        have: symbols that have a value at this point.
    """

    word: str = ""
    names: dict[str, str] = field(default_factory=dict)
    have: set[str] = field(default_factory=set)

    def read(self, expr: ir.Expr) -> ir.Expr:
        def rule(x: ir.Expr) -> ir.Expr | None:
            return ir.Sym(self.names.get(x.name, x.name)) if isinstance(x, ir.Sym) else None

        return rewrite(expr, rule)

    def assign(self, name: str) -> ir.Sym:
        self.have.add(name)
        if self.word:
            self.names[name] = f"_{name}_{self.word}"
        return ir.Sym(self.names.get(name, name))

    def inner(self, word: str = "") -> _Side:
        return _Side(word or self.word, dict(self.names), set(self.have))


@dataclass
class _Selector:
    """Rewrites bodies, one side at a time."""

    moving: set[str]
    states: set[str]
    count: int = 0

    def body(self, body: ir.Body, side: _Side) -> ir.Body:
        return tuple(new for statement in body for new in self._statement(statement, side))

    def _statement(self, statement: ir.Stmt, side: _Side) -> Iterator[ir.Stmt]:
        match statement:
            case ir.If() if _reads(statement, self.moving):
                yield from self._select(statement, side)
            case ir.If(condition, then, otherwise, line):
                yield from self._keep_before(statement, side)
                sides = [(body, side.inner()) for body in (then, otherwise)]
                halves = [self.body(body, inner) for body, inner in sides]
                yield ir.If(side.read(condition), halves[0], halves[1], line)
                for _, inner in sides:
                    side.names |= inner.names
                    side.have |= inner.have
            case ir.Let(equation, ir.Sym(name), value, form, line):
                value = side.read(value)
                yield ir.Let(equation, side.assign(name), value, form, line)
            case _:
                yield statement

    def _keep_before(self, branch: ir.If, side: _Side) -> Iterator[ir.Stmt]:
        """What only one half of an inner branch assigns has its value from before in the other."""
        if side.word:
            for name, let in _in_order((branch,)).items():
                before = self._value(name, side)
                if before is not None:
                    yield ir.Let(let.equation, side.assign(name), before, "", let.line)

    def _select(self, branch: ir.If, side: _Side) -> Iterator[ir.Stmt]:
        self.count += 1
        number = self.count if self.count > 1 else ""
        condition = side.read(branch.condition)
        yes, no = side.inner(f"then{number}"), side.inner(f"else{number}")
        yield from self.body(branch.then, yes)
        yield from self.body(branch.otherwise, no)
        for name, let in _in_order((branch,)).items():
            a, b = self._value(name, yes), self._value(name, no)
            if a is not None and b is not None:
                value = ir.Where(condition, a, b)
                yield ir.Let(let.equation, side.assign(name), value, "", let.line)

    def _value(self, name: str, side: _Side) -> ir.Expr | None:
        """A symbol as it stands; None for a local that has no value there."""
        if name in side.have:
            return ir.Sym(side.names.get(name, name))
        return ir.Prev(name) if name in self.states else None


def _in_order(body: ir.Body) -> dict[str, ir.Let]:
    """Symbols that a body assigns, each with the last equation that does."""
    return {let.target.name: let for let in ir.lets(body)}
