"""The interpreter: walks the IR over any number type, all parameters side by side.

It shares no code with the generator, so that each can be held against the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from instep.spec import ir
from instep.spec.arithmetic import AXES, Arithmetic, shape_query
from instep.spec.errors import SpecError
from instep.spec.model import Algorithm, OptionValue, State, TypeEps
from instep.spec.scope import Scope, inferred

Gradients = Sequence[Any | None]
Oracle = Callable[[list[Any]], tuple[Any, Gradients]]
Trace = Callable[[str, str, int | None, Any], None]


@dataclass
class Slot:
    """One parameter: value, state, number of steps, hyperparameters; and the step in progress."""

    theta: Any
    hyperparameters: dict[str, Any]
    state: dict[str, Any] = field(default_factory=dict)
    count: int = 0
    now: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)


class Interpreter:
    """Runs an algorithm on parameters, in one number type.

    Args:
        algorithm: the specification, seen through a dialect or not.
        arithmetic: the number type.
        parameters: initial values, float arrays of any shape.
        options: option values that differ from the algorithm's defaults.
        hyperparameters: values by symbol that differ from the defaults.
        groups: (indices of parameters, values by symbol) for parameter groups.

    `evaluations` counts those of the gradient, `point` is where the latest of them was asked for.

    Raises:
        SpecError: an unknown option, option value, hyperparameter or node.
    """

    def __init__(
        self,
        algorithm: Algorithm,
        arithmetic: Arithmetic,
        parameters: Sequence[Any],
        *,
        options: Mapping[str, OptionValue] | None = None,
        hyperparameters: Mapping[str, float] | None = None,
        groups: Sequence[tuple[Sequence[int], Mapping[str, float]]] = (),
    ) -> None:
        self.algorithm = algorithm.with_options(options or {})
        self.arithmetic = arithmetic
        self.options = self.algorithm.option_defaults()
        self.shared: dict[str, Any] = dict(self.algorithm.defaults())
        self.set(hyperparameters or {}, self.shared)
        self.slots = [Slot(arithmetic.tensor(p), dict(self.shared)) for p in parameters]
        for indices, values in groups:
            for i in indices:
                self.set(values, self.slots[i].hyperparameters)
        self.optimizer_state: dict[str, Any] = {}
        self.count = 0
        self.evaluations = 0
        self.point: ir.Expr = ir.Sym(ir.THETA)
        self.scopes = inferred(self.algorithm)
        self.states = [s for s in algorithm.states if s.when is None or self._decide(s.when)]

    def set(self, values: Mapping[str, float], where: dict[str, Any] | None = None) -> None:
        """Change hyperparameters by symbol, for every parameter or in one mapping."""
        for name, value in values.items():
            self.algorithm.hyperparameter(name)
            for target in [where] if where is not None else self._all_hyperparameters():
                target[name] = value

    def evaluate(self, expr: ir.Expr) -> Any:
        """An expression of hyperparameters that all parameters share."""
        return _Step(self, [], _constant(()), {}, None)._value(expr, None)

    def _all_hyperparameters(self) -> list[dict[str, Any]]:
        return [self.shared, *(slot.hyperparameters for slot in self.slots)]

    def step(
        self,
        gradients: Gradients | None = None,
        touched: Sequence[Any | None] | None = None,
        *,
        oracle: Oracle | None = None,
        inputs: Mapping[str, Any] | None = None,
        trace: Trace | None = None,
    ) -> None:
        """One step.

        Args:
            gradients: an array per parameter, None for a parameter without gradient; or
            touched: which lanes a sparse gradient names, an array of booleans per parameter; None
                for a dense one, which names all.
            oracle: a function from points (a value per parameter) to (loss, gradients).
            inputs: what a schedule receives; a sequence is a list of numbers.
            trace: called with (equation, target, parameter index or None, value).
        """
        everyone = range(len(self.slots))
        active = [i for i in everyone if gradients is None or gradients[i] is not None]
        if oracle is None:
            given = [None if g is None else self.arithmetic.tensor(g) for g in gradients or ()]
            oracle = _constant(given)
        with np.errstate(all="ignore"):
            _Step(self, active, oracle, dict(inputs or {}), trace, touched).run()

    def view(self, name: str, *, inverse: bool = False) -> list[Any]:
        """The point of a view for every parameter, or with `inverse` theta from such a point.

        Raises:
            SpecError: there is no such view, or it has no inverse.
        """
        view = self.algorithm.view(name)
        expr = view.inverse if inverse else view.value
        if expr is None:
            raise SpecError(f"{self.algorithm.name}: the view {name} has no inverse")
        with np.errstate(all="ignore"):
            return _Step(self, [], _constant(()), {}, None).values(expr)

    def _decide(self, condition: ir.Expr) -> bool:
        match condition:
            case ir.Compare("==", ir.Opt(name), ir.Value(value)):
                return self.options[name] == value
            case ir.Logic("not", (a,)):
                return not self._decide(a)
            case ir.Logic("and", xs):
                return all(map(self._decide, xs))
            case ir.Logic("or", xs):
                return any(map(self._decide, xs))
        raise SpecError(f"unknown static condition {type(condition).__name__}")


def _constant(gradients: Gradients) -> Oracle:
    """The oracle of a run whose gradients do not depend on the point."""

    def oracle(points: list[Any]) -> tuple[Any, Gradients]:
        return None, gradients

    return oracle


class _Step:
    """One step in progress: the environment of every parameter, and the gradients known so far."""

    def __init__(
        self,
        owner: Interpreter,
        active: list[int],
        oracle: Oracle,
        inputs: dict[str, Any],
        trace: Trace | None,
        touched: Sequence[Any | None] | None = None,
    ) -> None:
        self.touched = touched
        self.owner, self.active, self.oracle, self.trace = owner, active, oracle, trace
        self.arithmetic, self.slots, self.scopes = owner.arithmetic, owner.slots, owner.scopes
        self.shared: dict[str, Any] = {k: self._input(v) for k, v in inputs.items()}
        self.shared_before: dict[str, Any] = {}
        self.gradients: dict[ir.Expr, tuple[Any, Gradients]] = {}
        # The block that is being computed, and the one in which each symbol was assigned last.
        self.block = ""
        self.blocks: dict[str, str] = {}

    def run(self) -> None:
        self._begin()
        self._body(self.owner.algorithm.body, self.active)
        self._end()

    def values(self, expr: ir.Expr) -> list[Any]:
        """An expression for every parameter, as things stand between two steps."""
        out = []
        for s in self.owner.states:
            if s.scope != "parameter" and s.name not in self.owner.optimizer_state:
                self._initialise_shared(s)
        self.shared.update(self.owner.optimizer_state)
        for i, slot in enumerate(self.slots):
            slot.now = {ir.THETA: slot.theta}
            for s in self.owner.states:
                if s.init is not None and self._keeps(s, i):
                    slot.now[s.name] = self._initial(s, s.init, i)
            slot.now.update(slot.state)
            out.append(self._value(expr, i))
        return out

    def _input(self, value: Any) -> Any:
        if isinstance(value, Sequence):
            return self.arithmetic.tensor(np.array(value, dtype=np.float64))
        return self.arithmetic.number(value)

    # ---- before and after the equations

    def _begin(self) -> None:
        owner = self.owner
        owner.count += 1
        for s in owner.states:
            if s.scope != "parameter" and s.name not in owner.optimizer_state:
                self._initialise_shared(s)
        self.shared.update(owner.optimizer_state)
        self.shared_before = dict(owner.optimizer_state)
        for i in self.active:
            slot = self.slots[i]
            slot.count += 1
            slot.now = {ir.THETA: slot.theta}
            for s in owner.states:
                if s.init is not None and s.name not in slot.state and self._keeps(s, i):
                    slot.state[s.name] = self._initial(s, s.init, i)
            slot.now.update(slot.state)
            slot.before = dict(slot.now)

    def _keeps(self, s: State, i: int) -> bool:
        """Whether a parameter of this shape has the state."""
        if s.scope != "parameter":
            return False
        return s.shaped is None or self.arithmetic.truth(self._value(s.shaped, i))

    def _initialise_shared(self, s: State) -> None:
        if s.shape == "history":
            self.owner.optimizer_state[s.name] = []
        elif s.init is not None:
            self.owner.optimizer_state[s.name] = self._value(s.init, None)

    def _initial(self, s: State, init: ir.Expr, i: int) -> Any:
        if s.shape == "history":
            return []
        value = self._value(init, i)
        theta = self.slots[i].theta
        if s.shape in ("rows", "cols"):
            return self.arithmetic.fill(self.arithmetic.reduced_shape(theta, s.shape), value)
        if s.shape == "reduced":
            value = self.arithmetic.fill(self.arithmetic.reduce("sum", "all", theta), value)
        if s.shape == "like":
            value = self.arithmetic.fill(theta, value)
        return self.arithmetic.store(value, s.name)

    def _end(self) -> None:
        for s in self.owner.states:
            if s.scope != "parameter":
                if s.name in self.shared:
                    self.owner.optimizer_state[s.name] = self.shared[s.name]
                continue
            for i in self.active:
                slot = self.slots[i]
                if s.name in slot.now:
                    slot.state[s.name] = self._stored(slot.now[s.name], s.name)
        for slot in (self.slots[i] for i in self.active):
            slot.theta = self.arithmetic.store(slot.now[ir.THETA], ir.THETA)

    def _stored(self, value: Any, name: str) -> Any:
        done = isinstance(value, list) or self.arithmetic.in_place(name)
        return value if done else self.arithmetic.store(value, name)

    # ---- statements

    def _body(self, body: ir.Body, active: list[int]) -> None:
        for statement in body:
            match statement:
                case ir.Let():
                    self._let(statement, active)
                case ir.If():
                    self._if(statement, active)
                case ir.Repeat():
                    self._repeat(statement, active)
                case ir.Push():
                    self._push(statement, active)
                case _:
                    raise SpecError(f"interpreter: unknown statement {type(statement).__name__}")

    def _let(self, let: ir.Let, active: list[int]) -> None:
        self._enter(let.block)
        self._evaluate_gradients(let.value, active)
        name = let.target.name
        if self.scopes.symbols[name] <= Scope.OPTIMIZER:
            value = self._value(let.value, None)
            self._assign(self.shared, let.target, value, None)
            self._note(let, None, value)
            self._leave(name)
            return
        values = self._of_each(let, active)
        self._forget_gradients(name)
        for i, value in zip(active, values, strict=True):
            self._assign(self.slots[i].now, let.target, value, i)
            self._note(let, i, value)
        self._leave(name)
        self._store(let.target, active)

    def _store(self, target: ir.Sym | ir.At, active: list[int]) -> None:
        """What reads the state later in the step may have it from before its rounding or after."""
        if isinstance(target, ir.Sym) and self.arithmetic.in_place(target.name):
            for slot in (self.slots[i] for i in active):
                slot.now[target.name] = self.arithmetic.store(slot.now[target.name], target.name)

    def _of_each(self, let: ir.Let, active: list[int]) -> list[Any]:
        """The right-hand side for every parameter."""
        try:
            return [self._value(let.value, i) for i in active]
        except ValueError as error:  # numpy's, of shapes
            raise SpecError(
                f"interpreter: {let.equation}: the shapes do not fit: {error}"
            ) from error

    def _enter(self, block: str) -> None:
        self.block = block
        self.arithmetic.block(block)

    def _leave(self, name: str) -> None:
        """An equation is done: remember which block its target belongs to."""
        self.blocks[name] = self.block
        self._enter("")

    def _assign(
        self, env: dict[str, Any], target: ir.Sym | ir.At, value: Any, i: int | None
    ) -> None:
        if isinstance(target, ir.Sym):
            env[target.name] = value
        else:
            index = self.arithmetic.integer(self._value(target.index, i))
            env.setdefault(target.name, {})[index] = value

    def _note(self, let: ir.Let, i: int | None, value: Any) -> None:
        if self.trace is not None:
            self.trace(let.equation, let.target.name, i, value)

    def _if(self, branch: ir.If, active: list[int]) -> None:
        if ir.is_static(branch.condition):
            holds = self.owner._decide(branch.condition)
            self._body(branch.then if holds else branch.otherwise, active)
            return
        self._evaluate_gradients(branch.condition, active)
        if self.scopes.of(branch.condition) <= Scope.OPTIMIZER:
            holds = self.arithmetic.truth(self._value(branch.condition, None))
            self._body(branch.then if holds else branch.otherwise, active)
            return
        on = [i for i in active if self.arithmetic.truth(self._value(branch.condition, i))]
        off = [i for i in active if i not in on]
        if on:
            self._body(branch.then, on)
        if off:
            self._body(branch.otherwise, off)

    def _repeat(self, loop: ir.Repeat, active: list[int]) -> None:
        """Parameters that make as many rounds make them together."""
        together: dict[range, list[int]] = {}
        for i in active:
            together.setdefault(self._range(loop, i), []).append(i)
        for rounds, some in (together or {self._range(loop, None): []}).items():
            self._rounds(loop, rounds, some)

    def _range(self, loop: ir.Repeat, i: int | None) -> range:
        bounds = (self._value(x, i) for x in (loop.start, loop.stop))
        return range(*map(self.arithmetic.integer, bounds))

    def _rounds(self, loop: ir.Repeat, rounds: range, active: list[int]) -> None:
        first = active[0] if active else None
        for k in reversed(rounds) if loop.down else rounds:
            self.shared[loop.variable] = k
            self._body(loop.body, active)
            if loop.until is not None and self.arithmetic.truth(self._value(loop.until, first)):
                break

    def _push(self, push: ir.Push, active: list[int]) -> None:
        first = active[0] if active else None
        size = self.arithmetic.integer(self._value(push.size, first))
        if self.scopes.symbols[push.history] <= Scope.OPTIMIZER:
            entries = [*self.shared.get(push.history, []), self._value(push.value, None)]
            self.shared[push.history] = entries[-size:]
            return
        for i in active:
            now = self.slots[i].now
            now[push.history] = [*now.get(push.history, []), self._value(push.value, i)][-size:]

    # ---- gradients: evaluated for all parameters at once, known until the point moves

    def _evaluate_gradients(self, expr: ir.Expr, active: list[int]) -> None:
        for node in ir.walk(expr):
            if isinstance(node, ir.Grad | ir.Loss) and node.at not in self.gradients:
                points = [slot.theta for slot in self.slots]
                for i in active:
                    points[i] = self._value(node.at, i)
                self.owner.evaluations, self.owner.point = self.owner.evaluations + 1, node.at
                self.gradients[node.at] = self.oracle(points)

    def _forget_gradients(self, name: str) -> None:
        for point in list(self.gradients):
            if any(isinstance(n, ir.Sym | ir.At) and n.name == name for n in ir.walk(point)):
                del self.gradients[point]

    # ---- expressions

    def _value(self, expr: ir.Expr, i: int | None) -> Any:
        a = self.arithmetic
        match expr:
            case ir.Sym(name):
                return self._outside(self._symbol(name, i), self.blocks.get(name, ""))
            case ir.Prev(name):
                return self._outside(self._previous(name, i))
            case ir.Const(value):
                return a.number(value)
            case ir.Binary(op, x, y):
                return a.binary(op, self._value(x, i), self._value(y, i))
            case ir.Negate(x):
                return a.negate(self._value(x, i))
            case ir.Compare(op, x, y):
                return a.compare(op, self._value(x, i), self._value(y, i))
            case ir.Logic():
                return self._logic(expr, i)
            case ir.Absent(name):
                state = self.slots[i].state if i is not None else self.owner.optimizer_state
                return name not in state
            case ir.Touched():
                assert i is not None
                return self._touched(i)
            case ir.Where(condition, x, y):
                return a.where(self._value(condition, i), self._value(x, i), self._value(y, i))
            case ir.Call(function, arguments) if function in ir.SHAPE_FUNCTIONS:
                return a.number(shape_query(function, a.shape(self._value(arguments[0], i))))
            case ir.Call(function, arguments):
                return a.call(function, *(self._value(x, i) for x in arguments))
            case ir.Reduce(op, "params", x):
                return a.fold(op, [a.reduce(op, "all", self._value(x, k)) for k in self.active])
            case ir.Reduce(op, over, x):
                return self._reduce(op, over, self._value(x, i))
            case ir.MatMul(x, y):
                return a.matmul(self._value(x, i), self._value(y, i))
            case ir.Transpose(x):
                return a.transpose(self._value(x, i))
            case ir.Grad(at):
                assert i is not None
                return self._outside(self.gradients[at][1][i])
            case ir.Loss(at):
                return self.gradients[at][0]
            case ir.At(name, index):
                return self._entry(name, i, a.integer(self._value(index, i)))
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
        counter = self.owner.algorithm.counter
        if counter is not None and name == counter.name:
            per_parameter = counter.scope == "parameter" and i is not None
            count = self.slots[i].count if per_parameter and i is not None else self.owner.count
            return self.arithmetic.number(count + counter.start - 1)
        values = self.slots[i].hyperparameters if i is not None else self.owner.shared
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
            conditions.append(self._value(operand, i))
            if expr.op != "not" and conditions[-1] is (expr.op == "or"):
                return conditions[-1]
        return self.arithmetic.logic(expr.op, conditions)
