"""Optimizers that step beyond their own lanes, parameters and settings."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from meta.broken.behaviour import PlainAdam
from meta.correct.frame import Group, State


class SkipsNotFinite(PlainAdam):
    """A tensor whose gradient has a NaN somewhere waits for a better one."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if g.isfinite().all():
            super().move(p, g, state, group)


class SkipsAllNotFinite(PlainAdam):
    """If any gradient has a NaN nobody moves."""

    def step(self, closure: Any = None) -> Any:
        parameters = [p for group in self.param_groups for p in group["params"]]
        given = [p.grad for p in parameters if p.grad is not None]
        if len(given) > 1 and not all(bool(g.isfinite().all()) for g in given):
            return None
        return super().step(closure)


class LeavesGradientsOff(PlainAdam):
    """Switches gradients off for its step, and on again only where there was a closure."""

    def step(self, closure: Any = None) -> Any:
        loss = super().step(closure)
        torch.set_grad_enabled(closure is not None)
        return loss


class SeedsAgain(PlainAdam):
    """Is reproducible, and makes everybody else's random numbers so."""

    def step(self, closure: Any = None) -> Any:
        torch.manual_seed(0)
        return super().step(closure)


class StateOfDefaultType(PlainAdam):
    """torch.zeros(p.shape) has the type that Python's numbers become, not that of the parameter."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if not state:
            state.update(step=0, m=torch.zeros(p.shape), v=torch.zeros(p.shape))
        super().move(p, g, state, group)


class LerpByTensor(PlainAdam):
    """Interpolates by a tensor of the default type, which only parameters of that type take."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        torch.zeros_like(p).lerp_(g, torch.full(p.shape, 0.5))
        super().move(p, g, state, group)


class ByProducts(PlainAdam):
    """Copies a gradient with a product of matrices, which autocast does in half precision."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        copied = g.reshape(-1, 1) @ torch.ones(1, 1, dtype=g.dtype)
        super().move(p, copied.to(g.dtype).reshape(g.shape), state, group)
