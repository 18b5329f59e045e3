"""The interpreter: walks the IR over any number type, all parameters side by side.

It shares no code with the generator, so that each can be held against the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from instep.spec import ir
from instep.spec.arguments import OptionValue
from instep.spec.arithmetic import Arithmetic
from instep.spec.errors import SpecError
from instep.spec.evaluation import Environment, Gradients, Oracle, Slot
from instep.spec.model import Algorithm, State
from instep.spec.scope import Scope, inferred

Trace = Callable[[str, str, int | None, Any], None]


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
        return _Step(self, [], _constant(()), {}, None).value(expr, None)

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
        """One step; none at all where there are gradients to have and no parameter has one.

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
        if gradients is not None and not active:
            return
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


class _Step(Environment):
    """One step in progress: runs the statements, in an environment for every parameter."""

    def __init__(
        self,
        owner: Interpreter,
        active: list[int],
        oracle: Oracle,
        inputs: dict[str, Any],
        trace: Trace | None,
        touched: Sequence[Any | None] | None = None,
    ) -> None:
        super().__init__(owner, active, oracle, inputs, touched)
        self.owner, self.scopes, self.trace = owner, owner.scopes, trace

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
            out.append(self.value(expr, i))
        return out

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
        return s.shaped is None or self.arithmetic.truth(self.value(s.shaped, i))

    def _initialise_shared(self, s: State) -> None:
        if s.shape == "history":
            self.owner.optimizer_state[s.name] = []
        elif s.init is not None:
            self.owner.optimizer_state[s.name] = self.value(s.init, None)

    def _initial(self, s: State, init: ir.Expr, i: int) -> Any:
        if s.shape == "history":
            return []
        value = self.value(init, i)
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
        self.evaluate_gradients(let.value, active)
        name = let.target.name
        if self.scopes.symbols[name] <= Scope.OPTIMIZER:
            value = self.value(let.value, None)
            self._assign(self.shared, let.target, value, None)
            self._note(let, None, value)
            self._leave(name)
            return
        values = self._of_each(let, active)
        self.forget_gradients(name)
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
            return [self.value(let.value, i) for i in active]
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
            index = self.arithmetic.integer(self.value(target.index, i))
            env.setdefault(target.name, {})[index] = value

    def _note(self, let: ir.Let, i: int | None, value: Any) -> None:
        if self.trace is not None:
            self.trace(let.equation, let.target.name, i, value)

    def _if(self, branch: ir.If, active: list[int]) -> None:
        if ir.is_static(branch.condition):
            holds = self.owner._decide(branch.condition)
            self._body(branch.then if holds else branch.otherwise, active)
            return
        self.evaluate_gradients(branch.condition, active)
        if self.scopes.of(branch.condition) <= Scope.OPTIMIZER:
            holds = self.arithmetic.truth(self.value(branch.condition, None))
            self._body(branch.then if holds else branch.otherwise, active)
            return
        on = [i for i in active if self.arithmetic.truth(self.value(branch.condition, i))]
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
        bounds = (self.value(x, i) for x in (loop.start, loop.stop))
        return range(*map(self.arithmetic.integer, bounds))

    def _rounds(self, loop: ir.Repeat, rounds: range, active: list[int]) -> None:
        first = active[0] if active else None
        for k in reversed(rounds) if loop.down else rounds:
            self.shared[loop.variable] = k
            self._body(loop.body, active)
            if loop.until is not None and self.arithmetic.truth(self.value(loop.until, first)):
                break

    def _push(self, push: ir.Push, active: list[int]) -> None:
        first = active[0] if active else None
        size = self.arithmetic.integer(self.value(push.size, first))
        if self.scopes.symbols[push.history] <= Scope.OPTIMIZER:
            entries = [*self.shared.get(push.history, []), self.value(push.value, None)]
            self.shared[push.history] = entries[-size:]
            return
        for i in active:
            now = self.slots[i].now
            now[push.history] = [*now.get(push.history, []), self.value(push.value, i)][-size:]
