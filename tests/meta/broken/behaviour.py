"""Optimizers whose equations are right and whose behaviour is not."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from meta.correct.frame import AdamFrame, Group, SGDFrame, State, apply, moments
from meta.correct.updates import average


class PlainAdam(AdamFrame):
    """Correct: what the subjects below have in common."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        apply(p, m, v, t, group)


class StepOfTheOptimizer(PlainAdam):
    """One counter for all, so a parameter that missed a gradient is corrected too little."""

    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            group["count"] = group.get("count", 0) + 1
        return super().step(closure)

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, _ = moments(p, state)
        average(m, v, g, group)
        apply(p, m, v, group["count"], group)


class MissingAsZero(PlainAdam):
    """A missing gradient is taken for zeros: moments fade and the parameter moves on."""

    def step(self, closure: Any = None) -> Any:
        missing = [p for g in self.param_groups for p in g["params"] if p.grad is None]
        if closure is None:
            for p in missing:
                p.grad = torch.zeros_like(p)
        loss = super().step(closure)
        for p in missing if closure is None else []:
            p.grad = None
        return loss


class RateOfConstruction(PlainAdam):
    """Schedulers turn a knob that is connected to nothing."""

    def __init__(self, params: Any, *arguments: Any, **keywords: Any) -> None:
        super().__init__(params, *arguments, **keywords)
        self.rate = self.defaults["lr"]

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        super().move(p, g, state, {**group, "lr": self.rate})


class GroupsIgnored(PlainAdam):
    """Every group gets the values of the constructor."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        super().move(p, g, state, {**group, **self.defaults})


class FirstGroupForAll(PlainAdam):
    """The loop variable of an inner function: all groups read the first one's rate and betas."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        first = self.param_groups[0]
        super().move(p, g, state, {**group, "lr": first["lr"], "betas": first["betas"]})


class WritesToGradient(PlainAdam):
    """The penalty is added to p.grad itself."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        assert p.grad is not None
        p.grad.copy_(g)
        super().move(p, g, state, group)


class NegatesGradient(PlainAdam):
    """maximize negates p.grad in place and negates it back, which others may see."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        assert p.grad is not None
        if group["maximize"]:
            p.grad.neg_().neg_()
        super().move(p, g, state, group)


class KeepsGradient(SGDFrame):
    """The first gradient itself becomes the buffer, and whoever zeroes it zeroes the buffer."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        own = not group["maximize"] and group["weight_decay"] == 0
        g = p.grad if own and p.grad is not None else g
        if group["momentum"]:
            if "b" not in state:
                state["b"] = g
            else:
                state["b"].mul_(group["momentum"]).add_(g, alpha=1 - group["dampening"])
            g = g + group["momentum"] * state["b"] if group["nesterov"] else state["b"]
        p -= group["lr"] * g


class CountOutsideState(PlainAdam):
    """The step count lives beside the state, and no checkpoint holds it."""

    def __init__(self, params: Any, *arguments: Any, **keywords: Any) -> None:
        super().__init__(params, *arguments, **keywords)
        self.counts: dict[Tensor, int] = {}

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, _ = moments(p, state)
        state["step"] = 0
        self.counts[p] = self.counts.get(p, 0) + 1
        average(m, v, g, group)
        apply(p, m, v, self.counts[p], group)


class LoadStartsAgain(PlainAdam):
    """A checkpoint's moments are loaded, its step count is not."""

    def load_state_dict(self, state_dict: Any) -> None:
        super().load_state_dict(state_dict)
        for kept in self.state.values():
            kept["step"] = 0


class SavingAdvances(PlainAdam):
    """state_dict() tidies up: it counts a step."""

    def state_dict(self) -> Any:
        for kept in self.state.values():
            kept["step"] += 1
        return super().state_dict()


class ClosureTwice(PlainAdam):
    """Once for the loss, once for the gradient."""

    def step(self, closure: Any = None) -> Any:
        if closure is not None:
            with torch.enable_grad():
                closure()
        return super().step(closure)


class ClosureWithoutGradients(PlainAdam):
    """@torch.no_grad() on step, and no enable_grad for the closure."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = None if closure is None else closure()
        super().step()
        return loss


class LossLost(PlainAdam):
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        super().step(closure)


class Noisy(PlainAdam):
    """Another last bit in every run, as where threads add in any order."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        super().move(p, g, state, group)
        p.mul_(1 + torch.finfo(p.dtype).eps * torch.randint(0, 2, p.shape))


class AcceptsSharedParameters(PlainAdam):
    """Every group is looked at by itself."""

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        others, self.param_groups = self.param_groups, []
        super().add_param_group(param_group)
        self.param_groups = [*others, *self.param_groups]


class AcceptsNothing(PlainAdam):
    """An empty list of parameters trains nothing, in silence."""

    def __init__(self, params: Any, *arguments: Any, **keywords: Any) -> None:
        params = params if isinstance(params, Tensor) else list(params)
        nothing = isinstance(params, list) and not params
        spare = [torch.nn.Parameter(torch.zeros(1))]
        super().__init__(spare if nothing else params, *arguments, **keywords)
