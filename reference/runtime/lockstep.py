"""Steps in which parameters wait for each other: sums over all, gradients at other points.

The equations of one parameter are a generator. It yields a request and is resumed with the answer
once all parameters have asked; so every parameter's equations read as if it were alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, ClassVar

import torch
from torch import Tensor

from instep.reference.runtime import scalar_math
from instep.reference.runtime.base import Closure, Reference
from instep.reference.runtime.flat import check_lengths, join, split
from instep.reference.runtime.work import (
    Group,
    State,
    Work,
    as_numbers,
    close_work,
    dense,
    open_work,
    read_numbers,
    real,
)


@dataclass(frozen=True, slots=True)
class Gradient:
    """The gradient of the loss at a point."""

    point: Tensor


@dataclass(frozen=True, slots=True)
class LossAndGradient:
    """The gradient at a point, and the loss there."""

    point: Tensor


@dataclass(frozen=True, slots=True)
class Sum:
    """The sum over all parameters of what each gives."""

    part: Any


@dataclass(frozen=True, slots=True)
class Max:
    """The largest of what all parameters give, each lane of a tensor for itself."""

    part: Any


Request = Gradient | LossAndGradient | Sum | Max
Steps = Generator[Request, Any, Tensor]
FOLDS: dict[type, Callable[[Any, Any], Any]] = {Sum: lambda a, b: a + b, Max: scalar_math.maximum}


def share(request: Sum | Max) -> Any:
    """What one parameter contributes, as a number; one without lanes has no largest of them."""
    part = request.part
    if isinstance(request, Max) and isinstance(part, Tensor):
        part = part.amax() if part.numel() else -math.inf
    return as_numbers(part)


@dataclass(slots=True)
class Runner:
    """One parameter's equations on their way."""

    work: Work
    steps: Steps
    shared: State
    group: Group
    request: Request | None = None
    theta: Tensor | None = None
    answer: Any = field(default=None)

    def resume(self) -> None:
        """Run to the next request, or to the end."""
        try:
            self.request = self.steps.send(self.answer)
        except StopIteration as end:
            self.request, self.theta = None, end.value


class LockstepOptimizer(Reference):
    """Runs the generated equations of all parameters side by side.

    Class attributes that generated code sets:
        _closure: whether the step evaluates the loss itself, through the closure.
        _shared_keys: keys of the state that parameters share.
        _group_keys: those of them that each group has for itself.
        _flat_keys: keys of the state that is one vector of all parameters.
    """

    _closure: ClassVar[bool] = False
    _shared_keys: ClassVar[frozenset[str]] = frozenset()
    _group_keys: ClassVar[frozenset[str]] = frozenset()
    _flat_keys: ClassVar[frozenset[str]] = frozenset()

    def step(self, closure: Closure | None = None) -> Any:
        """One step of every parameter that has a gradient.

        Args:
            closure: evaluates the loss again, with gradients enabled. Where the equations ask for
                the gradient at several points it is called once for each, and must be given.

        Raises:
            TypeError: the equations need a closure and there is none.
        """
        if closure is None and self._closure:
            name = type(self).__name__
            raise TypeError(f"{name} evaluates the gradient itself: step() needs a closure")
        if self._closure:
            return self._run(closure)
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self._run(None)
        return loss

    def _steps(self, theta: Tensor, state: State, shared: State, group: Group) -> Steps:
        """The equations of one parameter: writes `state` and `shared`, returns its new value."""
        raise NotImplementedError

    def _initialize_shared(self, shared: State, group: Group) -> None:
        """Fill in the state that parameters share; generated where there is any."""

    def _run(self, closure: Closure | None) -> Any:
        """All equations to their end, then everything stored; a failure leaves all as it was."""
        with torch.no_grad():
            evaluation = _Evaluation(self, closure)
            runners = list(self._runners())
            try:
                _side_by_side(runners, evaluation)
            finally:
                evaluation.restore()
            self._store([r for r in runners if r.theta is not None])
        return evaluation.loss

    def _runners(self) -> Iterator[Runner]:
        common = self.state.get(self._first_parameter(), {})
        parts = dict(zip(self._parameters(), self._flat_parts(common), strict=True))
        for group in self.param_groups:
            self._check_entries(group)
            settings = {key: as_numbers(value) for key, value in group.items() if key != "params"}
            for p in group["params"]:
                if not self._closure and p.grad is None:
                    continue
                self._accept(p, group)
                shared = {**common, **{k: group[k] for k in self._group_keys if k in group}}
                shared |= {k: as_numbers(shared[k]) for k in self._shared_keys & shared.keys()}
                self._initialize_shared(shared, settings)
                kept = self._own_state(p)
                # The parameter itself will move to the points where the closure is to see it.
                work = open_work(p, kept | parts[p], clone=self._closure)
                self._initialize(work.state, work.theta, settings)
                read_numbers(work, self._layout)
                steps = self._steps(work.theta, work.state, shared, settings)
                yield Runner(work, steps, shared, settings)

    def _own_state(self, parameter: Tensor) -> State:
        kept = self.state.get(parameter, {})
        return {k: v for k, v in kept.items() if k not in self._flat_keys}

    def _check_state(self) -> None:
        super()._check_state()
        common = self.state.get(self._first_parameter(), {})
        check_lengths(common, self._flat_keys, self._parameters())

    def _parameters(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group["params"]]

    def _flat_parts(self, common: State) -> list[State]:
        """What every parameter has of the state that is kept as vectors of all."""
        if not self._flat_keys:
            return [{} for _ in self._parameters()]
        return split(common, self._flat_keys, self._parameters())

    def _first_parameter(self) -> Tensor:
        """The parameter whose state also holds what belongs to the whole optimizer."""
        first: Tensor = self.param_groups[0]["params"][0]
        return first

    def _store(self, runners: list[Runner]) -> None:
        group_of = {p: group for group in self.param_groups for p in group["params"]}
        parts = {r.work.parameter: _take(r.work.state, self._flat_keys) for r in runners}
        for r in runners:
            assert r.theta is not None
            p = r.work.parameter
            close_work(r.work, r.theta, self.state[p] if r.work.state else {}, self._layout)
            for key in self._shared_keys & r.shared.keys():
                per_group = key in self._group_keys
                (group_of[p] if per_group else self.state[self._first_parameter()])[key] = r.shared[
                    key
                ]
        if self._flat_keys and runners:
            everyone = self._parameters()
            whole = join([parts.get(p, {}) for p in everyone], self._flat_keys, everyone)
            self.state[self._first_parameter()].update(whole)


def _take(state: State, keys: frozenset[str]) -> State:
    """Entries taken out of a state."""
    return {key: state.pop(key) for key in keys & state.keys()}


class _Evaluation:
    """The loss and its gradients at the points that parameters ask for."""

    def __init__(self, optimizer: LockstepOptimizer, closure: Closure | None) -> None:
        self.optimizer, self.closure = optimizer, closure
        self.loss: Any = None
        self.moved: list[Work] = []

    def answer(self, runners: list[Runner]) -> list[Runner]:
        """Give every runner its gradient; those whose parameter has none drop out, unchanged."""
        value = self._evaluate(runners)
        active = []
        for r in runners:
            grad = r.work.parameter.grad
            if grad is None:
                r.steps.close()
                continue
            self.optimizer._accept(r.work.parameter, r.group)
            gradient = dense(grad if self.closure is None else grad.clone())
            wants_loss = isinstance(r.request, LossAndGradient)
            r.answer = (gradient, value) if wants_loss else gradient
            active.append(r)
        return active

    def _evaluate(self, runners: list[Runner]) -> Any:
        if self.closure is None:
            return None
        for r in runners:
            assert isinstance(r.request, Gradient | LossAndGradient)
            self._move(r.work, r.request.point)
        with torch.enable_grad():
            value = self.closure()
        self.loss = value if self.loss is None else self.loss
        return float(value) if value is not None else None

    def _move(self, work: Work, point: Tensor) -> None:
        if work not in self.moved:
            if point is work.theta:
                return
            self.moved.append(work)
        real(work.parameter).copy_(point)

    def restore(self) -> None:
        """Put every parameter that was moved back where the step began."""
        for work in self.moved:
            real(work.parameter).copy_(work.theta)


def _side_by_side(runners: list[Runner], evaluation: _Evaluation) -> None:
    """Resume all generators until each has ended, answering one kind of request at a time."""
    while runners:
        for r in runners:
            r.resume()
        runners = [r for r in runners if r.request is not None]
        if not runners:
            return
        kinds = {type(r.request) for r in runners}
        if len(kinds) > 1:
            names = ", ".join(sorted(kind.__name__ for kind in kinds))
            raise RuntimeError(f"parameters wait for different things at once: {names}")
        if kinds & {Gradient, LossAndGradient}:
            runners = evaluation.answer(runners)
        else:
            _fold(runners)


def _fold(runners: list[Runner]) -> None:
    parts = [share(r.request) for r in runners if isinstance(r.request, Sum | Max)]
    total = reduce(FOLDS[type(runners[0].request)], parts)
    for r in runners:
        r.answer = total
