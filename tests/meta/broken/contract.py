"""Optimizers whose steps are right, and which break what torch.optim.Optimizer promises."""

from __future__ import annotations

import copy
import functools
import inspect
from typing import Any

import torch
from torch import Tensor

from meta.broken.behaviour import PlainAdam
from meta.correct.frame import Group, State


class SharesWithItsCopy(PlainAdam):
    """A deep copy whose moments are those of the original."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        new = type(self).__new__(type(self))
        groups = copy.deepcopy(self.param_groups, memo)
        state = {copy.deepcopy(p, memo): kept for p, kept in self.state.items()}
        new.__setstate__({"defaults": self.defaults, "param_groups": groups, "state": state})
        return new


class ForgetsInPickle(PlainAdam):
    """What is pickled has no state, and begins again."""

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "state": type(self.state)(dict)}

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        new = type(self).__new__(type(self))
        new.__setstate__(copy.deepcopy(super().__getstate__(), memo))
        return new


class SaysNothing(PlainAdam):
    def __repr__(self) -> str:
        return "an optimizer"


class StepOfTheInstance(PlainAdam):
    """An attribute takes the place of the method, which alone calls hooks."""

    def __init__(self, params: Any, *arguments: Any, **keywords: Any) -> None:
        super().__init__(params, *arguments, **keywords)
        plain = functools.partial(inspect.unwrap(type(self).step), self)
        self.step = plain  # type: ignore[method-assign]


class Freezes(PlainAdam):
    """It switches gradients off to write, and not on again."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        super().move(p.requires_grad_(False), g, state, group)


class PutsElsewhere(PlainAdam):
    """Views of the parameter stay behind."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        moved = p.detach().clone()
        super().move(moved, g, state, group)
        p.data = moved


class DropsNames(PlainAdam):
    """It unpacks named parameters before torch can see the names."""

    def __init__(self, params: Any, *arguments: Any, **keywords: Any) -> None:
        if not isinstance(params, Tensor):
            params = [entry[1] if isinstance(entry, tuple) else entry for entry in params]
        super().__init__(params, *arguments, **keywords)


class PreparesForAll(PlainAdam):
    """Moments for all parameters with the first step, frozen ones included."""

    def step(self, closure: Any = None) -> Any:
        for p in (p for group in self.param_groups for p in group["params"]):
            if p not in self.state:
                self.state[p] = {"step": 0, "m": torch.zeros_like(p), "v": torch.zeros_like(p)}
        return super().step(closure)


class KeepsTheParameter(PlainAdam):
    """What should be the value before the step is the parameter itself."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        super().move(p, g, state, group)
        state["before"] = p.detach()


class KeepsAGraph(PlainAdam):
    """A rate that may be learned, and never is."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        super().move(p, g, state, group)
        state.setdefault("scale", torch.ones(1, requires_grad=True))


class ZerosByDefault(PlainAdam):
    """The default of older versions of torch."""

    def zero_grad(self, set_to_none: bool = False) -> None:
        super().zero_grad(set_to_none)


class NeverZeros(PlainAdam):
    """An argument that is not read."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        super().zero_grad()


class GroupsOfConstruction(PlainAdam):
    """Groups that are added later are held, and never moved."""

    def __init__(self, params: Any, *arguments: Any, **keywords: Any) -> None:
        super().__init__(params, *arguments, **keywords)
        self.count = len(self.param_groups)

    def step(self, closure: Any = None) -> Any:
        groups, self.param_groups = self.param_groups, self.param_groups[: self.count]
        try:
            return super().step(closure)
        finally:
            self.param_groups = groups


class HooksOfItsOwn(PlainAdam):
    """Calls hooks by itself, and knows none but its own."""

    step = PlainAdam.step  # as written, before an instance makes torch put hooks around it

    @staticmethod
    def profile_hook_step(func: Any) -> Any:
        @functools.wraps(func)
        def step(self: Any, *arguments: Any, **keywords: Any) -> Any:
            given = ((self, *arguments), keywords)
            for hook in self._optimizer_step_pre_hooks.values():
                given = hook(self, *given) or given
            found = func(*given[0], **given[1])
            for hook in self._optimizer_step_post_hooks.values():
                hook(self, *given)
            return found

        return step


class KeepsHooks(PlainAdam):
    """What removes a hook removes a copy of it."""

    def register_step_post_hook(self, hook: Any) -> Any:
        super().register_step_post_hook(hook)
        return super().register_step_post_hook(lambda *given: None)


class LoadsByName(PlainAdam):
    """State of parameters whose names it does not find begins again."""

    def load_state_dict(self, state_dict: Any) -> None:
        groups = zip(state_dict["param_groups"], self.param_groups, strict=True)
        known = all(a.get("param_names") == b.get("param_names") for a, b in groups)
        super().load_state_dict(state_dict if known else {**state_dict, "state": {}})


class KeepsADiary(PlainAdam):
    """Notes how far it went in every step, for a plot that nobody makes."""

    def __init__(self, params: Any, *arguments: Any, **keywords: Any) -> None:
        super().__init__(params, *arguments, **keywords)
        self.diary: list[float] = []

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        super().move(p, g, state, group)
        self.diary.append(float(g.abs().sum()))


class KeepsTheLoss(PlainAdam):
    """The last loss is kept as it came, with all that it was computed from."""

    def step(self, closure: Any = None) -> Any:
        self.last = super().step(closure)
        return self.last


class CopiesAtEveryTurn(PlainAdam):
    """What is computed on the way is kept until the step is over."""

    def step(self, closure: Any = None) -> Any:
        self.scratch: list[Tensor] = []
        try:
            return super().step(closure)
        finally:
            self.scratch.clear()

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        self.scratch += [p.clone(), g.clone(), g * g, g * group["lr"], p + g]
        super().move(p, g, state, group)
