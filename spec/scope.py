"""What a quantity depends on, inferred: it decides hoisting, branching, phases and roundoff."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache

from instep.spec import ir
from instep.spec.model import Algorithm


class Scope(IntEnum):
    """From what never changes to what differs by lane; a result has its arguments' largest."""

    STATIC = 0
    OPTIMIZER = 1
    GROUP = 2
    PARAMETER = 3
    REDUCED = 4
    TENSOR = 5

    @property
    def on_host(self) -> bool:
        """Whether the quantity is a plain number that needs no tensor data of one parameter."""
        return self <= Scope.PARAMETER


@dataclass
class Scopes:
    """Scope of every symbol of a body, and of any expression over them."""

    symbols: dict[str, Scope] = field(default_factory=dict)

    def of(self, expr: ir.Expr) -> Scope:
        """The scope of an expression."""
        match expr:
            case ir.Sym(name) | ir.Prev(name):
                return self.symbols.get(name, Scope.STATIC)
            case ir.Grad() | ir.Touched():
                return Scope.TENSOR
            case ir.Loss() | ir.Reduce(_, "params", _):
                return Scope.OPTIMIZER
            case ir.Reduce(_, "all", operand):
                # Of what no parameter has a part in (a list of milestones) it stays on the host.
                inner = self.of(operand)
                return inner if inner <= Scope.GROUP else Scope.REDUCED
            case ir.Absent(name):
                return min(self.symbols.get(name, Scope.STATIC), Scope.PARAMETER)
            case ir.Len(name):
                return min(self.symbols.get(name, Scope.STATIC), Scope.PARAMETER)
            case ir.At(name, index):
                return max(self.symbols.get(name, Scope.STATIC), self.of(index))
            case ir.Call(function, _) if function in ir.SHAPE_FUNCTIONS:
                return Scope.PARAMETER
        return max((self.of(x) for x in ir.children(expr)), default=Scope.STATIC)

    def join(self, name: str, scope: Scope) -> None:
        """A symbol also takes values of this scope."""
        self.symbols[name] = max(self.symbols.get(name, Scope.STATIC), scope)


_STATE_SHAPES = {"scalar": Scope.PARAMETER, "reduced": Scope.REDUCED}


def infer(algorithm: Algorithm, body: ir.Body | None = None) -> Scopes:
    """Scopes of all symbols by a fixed point over a body (the algorithm's own by default)."""
    scopes = declared(algorithm)
    before: dict[str, Scope] = {}
    while before != scopes.symbols:
        before = dict(scopes.symbols)
        _visit(algorithm.body if body is None else body, Scope.STATIC, scopes)
    return scopes


def inferred(algorithm: Algorithm) -> Scopes:
    """The same, kept for all that share the body: other options, other defaults.

    What is returned is shared too; nobody may change it.
    """
    return _kept(_Parts(algorithm))


class _Parts:
    """What scopes depend on, compared by identity: comparing equations would walk them."""

    __slots__ = ("algorithm", "parts")

    def __init__(self, algorithm: Algorithm) -> None:
        self.algorithm = algorithm
        self.parts = (
            algorithm.body,
            algorithm.hyperparameters,
            algorithm.inputs,
            algorithm.states,
            algorithm.counter,
        )

    def __hash__(self) -> int:
        return hash(tuple(map(id, self.parts)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Parts) and all(
            a is b for a, b in zip(self.parts, other.parts, strict=True)
        )


@lru_cache(maxsize=64)
def _kept(parts: _Parts) -> Scopes:
    return infer(parts.algorithm)


def declared(algorithm: Algorithm) -> Scopes:
    """Scopes of what is declared, before any equation: each symbol's least."""
    symbols = {ir.THETA: Scope.TENSOR}
    for h in algorithm.hyperparameters:
        symbols[h.name] = Scope.GROUP if h.scope == "group" else Scope.OPTIMIZER
    for name in algorithm.inputs:
        symbols[name] = Scope.OPTIMIZER
    for s in algorithm.states:
        if s.scope == "parameter":
            symbols[s.name] = _STATE_SHAPES.get(s.shape, Scope.TENSOR)
        else:
            symbols[s.name] = Scope.OPTIMIZER if s.scope == "optimizer" else Scope.GROUP
    if algorithm.counter is not None:
        per_parameter = algorithm.counter.scope == "parameter"
        symbols[algorithm.counter.name] = Scope.PARAMETER if per_parameter else Scope.OPTIMIZER
    return Scopes(symbols)


def _visit(body: ir.Body, context: Scope, scopes: Scopes) -> None:
    for statement in body:
        match statement:
            case ir.Let(_, target, value):
                scopes.join(target.name, max(scopes.of(value), context))
            case ir.If(condition, then, otherwise):
                inner = context if ir.is_static(condition) else max(context, scopes.of(condition))
                _visit(then, inner, scopes)
                _visit(otherwise, inner, scopes)
            case ir.Repeat(variable, start, stop, loop):
                scopes.join(variable, max(scopes.of(start), scopes.of(stop), Scope.OPTIMIZER))
                _visit(loop, context, scopes)
            case ir.Push(_, history, value):
                scopes.join(history, scopes.of(value))
