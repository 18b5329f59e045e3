"""One step, executed over any domain of values: numbers, intervals, IR trees, canonical fractions.

The executor knows what statements and nodes mean; a `Domain` knows what a value is. Only the domain
decides branches, so a symbolic one can ask for a case distinction instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from instep.spec import ir
from instep.spec.algebra.program import Program
from instep.spec.errors import SpecError
from instep.spec.model import State
from instep.spec.options import decide

V = TypeVar("V")
C = TypeVar("C")


class UndefinedError(Exception):
    """A value that does not exist: 0/0, the root of a negative number, a state never stored."""


class UnsupportedError(Exception):
    """Something that this domain cannot express; the message says what."""


class Domain(Protocol[V, C]):
    """What a value is, and a condition on values."""

    def constant(self, value: ir.Number) -> V:
        """A literal."""

    def binary(self, op: str, a: V, b: V) -> V:
        """One of + - * / ** %."""

    def negate(self, a: V) -> V:
        """Unary minus."""

    def call(self, function: str, arguments: tuple[V, ...]) -> V:
        """A function of `ir.FUNCTIONS`."""

    def reduce(self, op: str, over: ir.Axis, a: V) -> V:
        """sum, mean or max."""

    def matmul(self, a: V, b: V) -> V:
        """Matrix product."""

    def transpose(self, a: V) -> V:
        """Last two axes swapped."""

    def gradient(self, at: V) -> V:
        """The gradient of this step's loss at a point."""

    def loss(self, at: V) -> V:
        """This step's loss at a point."""

    def expand(self, state: State, value: V, theta: V) -> V:
        """An initial value in the shape of a state."""

    def compare(self, op: str, a: V, b: V) -> C:
        """A condition, lane by lane where its sides are."""

    def logic(self, op: str, operands: tuple[C, ...]) -> C:
        """and, or, not, lane by lane."""

    def where(self, condition: C, a: V, b: V) -> V:
        """A choice lane by lane."""

    def touched(self) -> C:
        """The condition that this step's gradient names a lane."""

    def truth(self, condition: C) -> bool:
        """A branch; a symbolic domain may raise to ask for a case distinction."""

    def integer(self, a: V) -> int:
        """A number of rounds, or an index."""


@dataclass
class Execution(Generic[V, C]):
    """One step: `start` has the parameter and the stored states, `given` what else a step receives.

    `given` holds the free hyperparameters, the counter and the inputs by symbol, `bound` the values
    of the bindings. `answers` records the branches that the domain took, in order: another domain
    can be led along the same path.
    """

    program: Program
    domain: Domain[V, C]
    given: Mapping[str, V]
    start: Mapping[str, Any]
    bound: Mapping[str, V] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    answers: list[bool] = field(default_factory=list)

    def run(self) -> dict[str, V]:
        """The parameter and the stored states after the step; an absent state is missing."""
        self.environment, self.answers = dict(self.start), []
        self._body(self.program.body)
        kept = (ir.THETA, *(s.name for s in self.program.states))
        return {name: self.environment[name] for name in kept if name in self.environment}

    def initial(self) -> dict[str, V]:
        """Values of the states before the first step; those without one are missing."""
        self.environment = dict(self.start)  # a state may start at the parameter
        out: dict[str, Any] = {}
        for state in self.program.states:
            if state.shape == "history":
                out[state.name] = ()
            elif state.init is not None:
                value = self._value(state.init)
                out[state.name] = self.domain.expand(state, value, self.start[ir.THETA])
        return out

    def admissible(self) -> bool:
        """Whether options and hyperparameters satisfy what the algorithm requires of them."""
        return all(self._holds(condition) for condition in self.program.requirements)

    def evaluate(self, expr: ir.Expr) -> V:
        """An expression over what the step receives and what is stored."""
        self.environment = dict(self.start)
        return self._value(expr)

    def _body(self, body: ir.Body) -> None:
        for statement in body:
            match statement:
                case ir.Let(_, target, value):
                    self._assign(target, self._value(value))
                case ir.If(condition, then, otherwise):
                    self._body(then if self._holds(condition) else otherwise)
                case ir.Repeat():
                    self._repeat(statement)
                case ir.Push(_, history, value, size):
                    entries = (*self.environment.get(history, ()), self._value(value))
                    self.environment[history] = entries[-self.domain.integer(self._value(size)) :]
                case ir.Apply(slot):
                    raise UnsupportedError(f"the slot {slot} is not filled")
                case _:
                    raise SpecError(f"unknown statement {type(statement).__name__}")

    def _assign(self, target: ir.Sym | ir.At, value: V) -> None:
        match target:
            case ir.Sym(name):
                self.environment[name] = value
            case ir.At(name, index):
                at = self.domain.integer(self._value(index))
                self.environment[name] = {**self.environment.get(name, {}), at: value}

    def _repeat(self, loop: ir.Repeat) -> None:
        start, stop = (self.domain.integer(self._value(x)) for x in (loop.start, loop.stop))
        rounds = range(start, stop)
        for i in reversed(rounds) if loop.down else rounds:
            self.environment[loop.variable] = self.domain.constant(i)
            self._body(loop.body)
            if loop.until is not None and self._holds(loop.until):
                break

    def _holds(self, condition: ir.Expr) -> bool:
        """A branch; a later part of `and` or `or` may make no sense when an earlier one decides."""
        match condition:
            case _ if ir.is_static(condition):
                return decide(condition, dict(self.program.options))
            case ir.Logic("not", (a,)):
                return not self._holds(a)
            case ir.Logic("and", xs):
                return all(self._holds(x) for x in xs)
            case ir.Logic("or", xs):
                return any(self._holds(x) for x in xs)
            case ir.Absent(name):
                return name not in self.start
        self.answers.append(self.domain.truth(self._condition(condition)))
        return self.answers[-1]

    def _condition(self, condition: ir.Expr) -> C:
        match condition:
            case ir.Compare(op, a, b):
                return self.domain.compare(op, self._value(a), self._value(b))
            case ir.Logic(op, xs):
                return self.domain.logic(op, tuple(self._condition(x) for x in xs))
            case ir.Touched():
                return self.domain.touched()
        raise UnsupportedError(f"{type(condition).__name__} as a condition on lanes")

    def _value(self, expr: ir.Expr) -> V:
        go, domain = self._value, self.domain
        match expr:
            case ir.Sym(name):
                return self._symbol(name)
            case ir.Prev(name):
                return self._stored(name)
            case ir.Const(value):
                return domain.constant(value)
            case ir.Binary(op, a, b):
                return domain.binary(op, go(a), go(b))
            case ir.Negate(a):
                return domain.negate(go(a))
            case ir.Call(function, xs):
                return domain.call(function, tuple(map(go, xs)))
            case ir.Where(condition, a, b):
                return domain.where(self._condition(condition), go(a), go(b))
        return self._rare(expr)

    def _rare(self, expr: ir.Expr) -> V:
        go, domain = self._value, self.domain
        match expr:
            case ir.Grad(at):
                return domain.gradient(go(at))
            case ir.Loss(at):
                return domain.loss(go(at))
            case ir.Reduce(op, over, a):
                return domain.reduce(op, over, go(a))
            case ir.MatMul(a, b):
                return domain.matmul(go(a), go(b))
            case ir.Transpose(a):
                return domain.transpose(go(a))
            case ir.At(name, index):
                return self._element(name, domain.integer(go(index)))
            case ir.Len(name):
                return domain.constant(len(self.environment.get(name, ())))
        raise SpecError(f"unknown expression node {type(expr).__name__}")

    def _element(self, name: str, index: int) -> V:
        try:
            return self.environment[name][index]  # type: ignore[no-any-return]
        except (KeyError, IndexError) as error:
            raise UndefinedError(f"{name}[{index}] was never stored") from error

    def _stored(self, name: str) -> V:
        if name not in self.start:
            raise UndefinedError(f"prev({name}) is read before {name} was stored")
        return self.start[name]  # type: ignore[no-any-return]

    def _symbol(self, name: str) -> V:
        if name in self.environment:
            return self.environment[name]  # type: ignore[no-any-return]
        if name in self.bound:
            return self.bound[name]
        if name in self.given:
            return self.given[name]
        raise UndefinedError(f"{name} is read before it was assigned")


def bound_values(program: Program, domain: Domain[V, C], given: Mapping[str, V]) -> dict[str, V]:
    """Values of the bindings; the symbols of their expressions are the free hyperparameters."""
    free = Execution(program.unbound(), domain, given, {})
    return {name: free.evaluate(value) for name, value in program.bindings}
