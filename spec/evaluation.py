"""What names and expressions stand for in one step, for each parameter and for all together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from instep.spec import ir
from instep.spec.arguments import TypeEps
from instep.spec.arithmetic import AXES, Arithmetic, shape_query
from instep.spec.errors import SpecError
from instep.spec.model import Algorithm
from instep.spec.remembered import remembered

Gradients = Sequence[Any | None]
Oracle = Callable[[list[Any]], tuple[Any, Gradients]]


@dataclass
class Slot:
    """One parameter: value, state, number of steps, hyperparameters; and the step in progress."""

    theta: Any
    hyperparameters: dict[str, Any]
    state: dict[str, Any] = field(default_factory=dict)
    count: int = 0
    now: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)


class Kept(Protocol):
    """What is kept from one step to the next."""

    algorithm: Algorithm
    arithmetic: Arithmetic
    slots: list[Slot]
    shared: dict[str, Any]
    optimizer_state: dict[str, Any]
    count: int
    evaluations: int
    point: ir.Expr


class Environment:
    """What a step in progress has assigned, and the gradients known so far."""

    def __init__(
        self,
        kept: Kept,
        active: list[int],
        oracle: Oracle,
        inputs: dict[str, Any],
        touched: Sequence[Any | None] | None,
    ) -> None:
        self.touched = touched
        self.kept, self.active, self.oracle = kept, active, oracle
        self.arithmetic, self.slots = kept.arithmetic, kept.slots
        self.shared: dict[str, Any] = {k: self._input(v) for k, v in inputs.items()}
        self.shared_before: dict[str, Any] = {}
        self.gradients: dict[ir.Expr, tuple[Any, Gradients]] = {}
        # The block that is being computed, and the one in which each symbol was assigned last.
        self.block = ""
        self.blocks: dict[str, str] = {}

    def _input(self, value: Any) -> Any:
        if isinstance(value, Sequence):
            return self.arithmetic.tensor(np.array(value, dtype=np.float64))
        return self.arithmetic.number(value)

    # ---- gradients: evaluated for all parameters at once, known until the point moves

    def evaluate_gradients(self, expr: ir.Expr, active: list[int]) -> None:
        """Ask for every gradient in an expression that is not known yet."""
        for node in _asked(expr):
            if node.at not in self.gradients:
                points = [slot.theta for slot in self.slots]
                for i in active:
                    points[i] = self.value(node.at, i)
                self.kept.evaluations, self.kept.point = self.kept.evaluations + 1, node.at
                self.gradients[node.at] = self.oracle(points)

    def forget_gradients(self, name: str) -> None:
        """What was evaluated at a point that a symbol has moved is known no longer."""
        for point in list(self.gradients):
            if any(isinstance(n, ir.Sym | ir.At) and n.name == name for n in ir.walk(point)):
                del self.gradients[point]

    # ---- expressions

    def value(self, expr: ir.Expr, i: int | None) -> Any:
        """An expression for a parameter, or where `i` is None for all parameters together."""
        a = self.arithmetic
        match expr:
            case ir.Sym(name):
                return self._outside(self._symbol(name, i), self.blocks.get(name, ""))
            case ir.Prev(name):
                return self._outside(self._previous(name, i))
            case ir.Const(value):
                return a.number(value)
            case ir.Binary(op, x, y):
                return a.binary(op, self.value(x, i), self.value(y, i))
            case ir.Negate(x):
                return a.negate(self.value(x, i))
            case ir.Compare(op, x, y):
                return a.compare(op, self.value(x, i), self.value(y, i))
            case ir.Logic():
                return self._logic(expr, i)
            case ir.Absent(name):
                state = self.slots[i].state if i is not None else self.kept.optimizer_state
                return name not in state
            case ir.Touched():
                assert i is not None
                return self._touched(i)
            case ir.Where(condition, x, y):
                return a.where(self.value(condition, i), self.value(x, i), self.value(y, i))
            case ir.Call(function, arguments) if function in ir.SHAPE_FUNCTIONS:
                return a.number(shape_query(function, a.shape(self.value(arguments[0], i))))
            case ir.Call(function, arguments):
                return a.call(function, *(self.value(x, i) for x in arguments))
            case ir.Reduce(op, "params", x):
                return a.fold(op, [a.reduce(op, "all", self.value(x, k)) for k in self.active])
            case ir.Reduce(op, over, x):
                return self._reduce(op, over, self.value(x, i))
            case ir.MatMul(x, y):
                return a.matmul(self.value(x, i), self.value(y, i))
            case ir.Transpose(x):
                return a.transpose(self.value(x, i))
            case ir.Grad(at):
                assert i is not None
                return self._outside(self.gradients[at][1][i])
            case ir.Loss(at):
                return self.gradients[at][0]
            case ir.At(name, index):
                return self._entry(name, i, a.integer(self.value(index, i)))
            case ir.Len(name):
                return a.number(len(self._lookup(name, i)))
        raise SpecError(f"interpreter: unknown node {type(expr).__name__}")

    def _touched(self, i: int) -> Any:
        """The lanes that the gradient names, in the shape of the parameter."""
        a, mask = self.arithmetic, None if self.touched is None else self.touched[i]
        shape = a.shape(self.slots[i].theta)
        lanes = np.ones(shape) if mask is None else np.broadcast_to(mask, shape)
        return a.compare("!=", a.tensor(lanes.astype(np.float64)), a.number(0))

    def _reduce(self, op: str, over: str, x: Any) -> Any:
        axis, ndim = AXES.get(over), len(self.arithmetic.shape(x))
        if axis is not None and ndim < -axis:
            raise SpecError(f"interpreter: a tensor of {ndim} dimensions has no {over} to {op}")
        return self.arithmetic.reduce(op, over, x)

    def _outside(self, value: Any, block: str = "") -> Any:
        """What was computed elsewhere enters a block of a precision of its own."""
        return value if block == self.block else self.arithmetic.entered(value)

    def _symbol(self, name: str, i: int | None) -> Any:
        if i is not None and name in self.slots[i].now:
            return self.slots[i].now[name]
        if name in self.shared:
            return self.shared[name]
        counter = self.kept.algorithm.counter
        if counter is not None and name == counter.name:
            per_parameter = counter.scope == "parameter" and i is not None
            count = self.slots[i].count if per_parameter and i is not None else self.kept.count
            return self.arithmetic.number(count + counter.start - 1)
        values = self.slots[i].hyperparameters if i is not None else self.kept.shared
        if name in values:
            return self._number(values[name])
        raise SpecError(f"interpreter: {name} has no value")

    def _number(self, value: float) -> Any:
        type_eps = isinstance(value, TypeEps)
        return self.arithmetic.type_eps() if type_eps else self.arithmetic.number(value)

    def _previous(self, name: str, i: int | None) -> Any:
        before = self.slots[i].before if i is not None else self.shared_before
        for values in (before, self.shared_before):
            if name in values:
                return values[name]
        raise SpecError(f"interpreter: {name} has no value from before the step")

    def _entry(self, name: str, i: int | None, index: int) -> Any:
        try:
            return self._lookup(name, i)[index]
        except (KeyError, IndexError):
            raise SpecError(f"interpreter: {name} has no entry {index}") from None

    def _lookup(self, name: str, i: int | None) -> Any:
        if i is not None and name in self.slots[i].now:
            return self.slots[i].now[name]
        return self.shared[name]

    def _logic(self, expr: ir.Logic, i: int | None) -> Any:
        """Lane by lane; what a plain bool before it decides is not looked at."""
        conditions: list[Any] = []
        for operand in expr.operands:
            conditions.append(self.value(operand, i))
            if expr.op != "not" and conditions[-1] is (expr.op == "or"):
                return conditions[-1]
        return self.arithmetic.logic(expr.op, conditions)


@remembered
def _asked(expr: ir.Expr) -> tuple[ir.Grad | ir.Loss, ...]:
    """The gradients and losses that an expression reads."""
    return tuple(node for node in ir.walk(expr) if isinstance(node, ir.Grad | ir.Loss))
