"""A torch-like optimizer that computes any model: a specification, or a mutant of one."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from instep.conformance.oracle import Model
from instep.spec.arguments import Argument, OptionValue
from instep.spec.arithmetic import Float64
from instep.spec.conditions import violated
from instep.spec.gradients import needs_closure
from instep.spec.interpret import Interpreter
from instep.spec.model import Algorithm
from instep.spec.options import decide, live_states, resolve

Factory = Callable[..., "InterpretedOptimizer"]


def subject(model: Model) -> Factory:
    """A constructor with the keywords of the algorithm's reference class, computing `model`.

    A function that changes gradients where that is what the algorithm is.
    """
    if model.algorithm.result == "gradient":
        return _transform(model)

    def construct(params: Any, **keywords: Any) -> InterpretedOptimizer:
        return InterpretedOptimizer(params, model, keywords)

    construct.__signature__ = _signature(model.algorithm)  # type: ignore[attr-defined]
    construct.__qualname__ = f"interpreted {model.algorithm.full_name}"
    return construct


def _transform(model: Model) -> Any:
    """Runs the optimizer on copies of the parameters, whose values then are the new gradients."""

    def transform(parameters: Any, **keywords: Any) -> Any:
        active = [p for p in parameters if p.grad is not None]
        copies = [torch.nn.Parameter(p.detach().clone()) for p in active]
        for twin, p in zip(copies, active, strict=True):
            twin.grad = p.grad
        if not active:
            return None
        optimizer = InterpretedOptimizer(copies, model, keywords)
        optimizer.step()
        for p, twin in zip(active, copies, strict=True):
            p.grad.copy_(twin.detach())
        return optimizer.values.get(model.algorithm.returned)

    transform.__signature__ = _signature(model.algorithm)  # type: ignore[attr-defined]
    transform.__qualname__ = f"interpreted {model.algorithm.full_name}"
    return transform


def constructor_defaults(algorithm: Algorithm) -> dict[str, Any]:
    """Keywords with their defaults: hyperparameters by key, then the options that stay open."""
    out: dict[str, Any] = {}
    for h in algorithm.hyperparameters:
        if h.index is None:
            out[h.key] = h.default
        else:
            out[h.key] = (*out.get(h.key, ()), h.default)
    for option in algorithm.options:
        if option.argument is not None and option.name not in algorithm.pinned:
            out[option.argument.key] = option.argument.constructor_value(option.default)
    return out


def _signature(algorithm: Algorithm) -> inspect.Signature:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    named = [
        inspect.Parameter(name, kind, default=default)
        for name, default in constructor_defaults(algorithm).items()
    ]
    return inspect.Signature([inspect.Parameter("params", kind), *named])


class InterpretedOptimizer(torch.optim.Optimizer):
    """Parameters and state are torch's, the arithmetic is the interpreter's, in float64.

    Complex parameters move as pairs of real numbers.

    Args:
        params: parameters, or groups of them.
        model: what to compute.
        keywords: constructor keywords in the specification's names.
    """

    def __init__(self, params: Any, model: Model, keywords: dict[str, Any]) -> None:
        self.model, self.algorithm = model, model.algorithm
        super().__init__(params, {**constructor_defaults(model.algorithm), **keywords})
        self.steps = 0
        self.values: dict[str, Any] = {}
        first = self.param_groups[0]
        self.options = {**self.algorithm.option_defaults(), **self._options(first)}
        self.options.update(model.options)
        self.at_construction = self._values(first)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """As torch, but refuses values outside their domains and what the spec excludes."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        values = self._values(group)
        for symbol, value in values.items():
            if not self.algorithm.hyperparameter(symbol).domain.contains(value):
                raise ValueError(f"invalid {symbol}: {value}")
        options = {**self.algorithm.option_defaults(), **self._options(group)}
        for requirement in violated(self.algorithm, values, options):
            raise ValueError(requirement.message)

    def state_dict(self) -> dict[str, Any]:
        """With the number of steps, which a mutant may count for all parameters together."""
        return {**super().state_dict(), "steps": self.steps}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The inverse of `state_dict`."""
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "steps"})
        self.steps = state_dict["steps"]

    def __getstate__(self) -> dict[str, Any]:
        """Everything, where torch keeps what it knows of."""
        return self.__dict__

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step of the model; the closure's loss, where there is one."""
        body = resolve(self.algorithm.body, self.options)
        if needs_closure(body):
            if closure is None:
                raise TypeError("step() needs a closure: gradients are taken at other points")
            return self._interpret(closure)
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self._interpret(None)
        return loss

    # ---- names

    def _values(self, group: dict[str, Any]) -> dict[str, float]:
        """Hyperparameters by symbol, as they stand in a group."""
        entries = {
            h.name: group[h.key] if h.index is None else group[h.key][h.index]
            for h in self.algorithm.hyperparameters
        }
        return {name: float(value) for name, value in entries.items()}

    def _options(self, group: dict[str, Any]) -> dict[str, OptionValue]:
        arguments: Iterator[tuple[str, Argument]] = (
            (o.name, o.argument)
            for o in self.algorithm.options
            if o.argument is not None and o.argument.key in group
        )
        return {name: a.option_value(group[a.key]) for name, a in arguments}

    # ---- one step

    def _note(self, equation: str, target: str, i: int | None, value: Any) -> None:
        self.values[target] = value
        for refusal in self.algorithm.refusals:
            refused = refusal.quantity == target and decide(refusal.condition, self.options)
            if refused and not np.all(np.isfinite(value)):
                raise RuntimeError(refusal.message)

    def _interpret(self, closure: Callable[[], Any] | None) -> Any:
        parameters = [p for group in self.param_groups for p in group["params"]]
        groups = [group for group in self.param_groups for _ in group["params"]]
        interpreter = Interpreter(
            self.algorithm, Float64(), [_array(p) for p in parameters], options=self.options
        )
        interpreter.count = self.steps
        for slot, p, group in zip(interpreter.slots, parameters, groups, strict=True):
            slot.hyperparameters.update(self._seen(group))
            slot.count, slot.state = self._kept(p)
        interpreter.shared.update(self._seen(groups[0]))
        interpreter.optimizer_state = self._kept_for_all(parameters[0])
        loss = None
        if closure is None:
            gradients = [None if p.grad is None else _array(p.grad) for p in parameters]
            touched = [_touched(p.grad) for p in parameters]
            interpreter.step(gradients, touched, trace=self._note)
        else:
            oracle = _Closure(closure, parameters)
            interpreter.step(oracle=oracle)
            loss = oracle.loss
        self.steps = interpreter.count
        self._keep_for_all(parameters[0], interpreter.optimizer_state)
        for slot, p in zip(interpreter.slots, parameters, strict=True):
            self._keep(p, slot)
        return loss

    def _seen(self, group: dict[str, Any]) -> dict[str, float]:
        """The values that the model sees: what it froze at construction comes from there."""
        now = self._values(group)
        frozen = {name: self.at_construction[name] for name in self.model.frozen}
        return self.model.values({**now, **frozen})

    def _kept(self, p: torch.Tensor) -> tuple[int, dict[str, Any]]:
        kept = self.state.get(p, {})
        own = (s for s in self.algorithm.states if s.scope == "parameter" and s.key in kept)
        states = {s.name: _array(kept[s.key]) for s in own}
        return int(kept.get("step", 0)), states

    def _kept_for_all(self, first: torch.Tensor) -> dict[str, Any]:
        """What belongs to no parameter is kept where torch keeps it, with the first one."""
        kept = self.state.get(first, {})
        shared = (s for s in self.algorithm.states if s.scope == "optimizer" and s.key in kept)
        return {s.name: copy.copy(kept[s.key]) for s in shared}

    def _keep_for_all(self, first: torch.Tensor, states: dict[str, Any]) -> None:
        for name, value in states.items():
            self.state[first][self.algorithm.state(name).key] = value

    @torch.no_grad()
    def _keep(self, p: torch.Tensor, slot: Any) -> None:
        """Write a slot back, each tensor in the parameter's type."""
        if slot.count == 0:
            return
        seen = _real(p)
        seen.copy_(_like(seen, slot.theta))
        if self.algorithm.counter is not None:
            self.state[p]["step"] = torch.tensor(float(slot.count), dtype=torch.float64)
        live = live_states(self.algorithm, self.options)
        for s in self.algorithm.states:
            if s.name in live and s.name in slot.state:
                value = slot.state[s.name]
                single = s.shape == "scalar" and np.size(value) == 1
                # A number, since torch casts tensors to the parameter's type where it loads them.
                self.state[p][s.key] = float(value) if single else _stored(p, value)


class _Closure:
    """Gradients at the points that the interpreter asks for, from a closure over the parameters."""

    def __init__(self, closure: Callable[[], Any], parameters: list[torch.Tensor]) -> None:
        self.closure, self.parameters, self.loss = closure, parameters, None

    def __call__(self, points: list[Any]) -> tuple[Any, list[Any]]:
        own = [p.detach().clone() for p in self.parameters]
        self._move([torch.as_tensor(x) for x in points])
        with torch.enable_grad():
            loss = self.closure()
        self.loss = loss if self.loss is None else self.loss
        gradients = [_array(p.grad) for p in self.parameters]
        self._move(own)
        return np.float64(float(loss)), gradients

    @torch.no_grad()
    def _move(self, points: list[torch.Tensor]) -> None:
        for p, x in zip(self.parameters, points, strict=True):
            seen = _real(p)
            seen.copy_(x.reshape(seen.shape))


def _touched(gradient: torch.Tensor | None) -> Any:
    """The lanes that a sparse gradient names, None for a dense one."""
    if gradient is None or gradient.layout == torch.strided:
        return None
    indices, values = gradient._indices(), gradient._values()
    ones = torch.sparse_coo_tensor(
        indices, torch.ones_like(values), gradient.shape, check_invariants=True
    )
    return ones.to_dense().numpy() > 0


def _real(x: torch.Tensor) -> torch.Tensor:
    """A complex tensor as a real view of it, its last axis a pair; anything else as it is."""
    return torch.view_as_real(x) if x.is_complex() else x


def _array(x: Any) -> Any:
    """A float64 copy; of a history, one of each entry."""
    if isinstance(x, list):
        return [_array(entry) for entry in x]
    if isinstance(x, float):
        return np.float64(x)
    x = x.to_dense() if x.layout != torch.strided else x
    return _real(x.detach()).to(torch.float64).cpu().numpy().copy()


def _stored(p: torch.Tensor, x: Any) -> Any:
    """A state as it is kept for a parameter: in its type, complex where the parameter is.

    A history is a list.
    """
    if isinstance(x, list):
        return [_stored(p, entry) for entry in x]
    seen = _real(p)
    kept = _like(seen, x).to(seen.dtype)
    return torch.view_as_complex(kept) if p.is_complex() else kept


def _like(p: torch.Tensor, x: Any) -> torch.Tensor:
    """An array as a float64 tensor of p's shape; a mutant may have made it a number."""
    return torch.tensor(np.broadcast_to(x, p.shape), dtype=torch.float64)
