"""Optimizers that are right until a training loop does what training loops do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from meta.broken.behaviour import PlainAdam

if TYPE_CHECKING:
    from torch import Tensor

    from meta.correct.frame import Group, State


class WarmsTheRate(PlainAdam):
    """The rate is written back to the group, which a tensor in there shows to its owner."""

    def step(self, closure: Any = None) -> Any:
        loss = super().step(closure)
        for group in self.param_groups:
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].mul_(0.5)
        return loss


class InitialRate(PlainAdam):
    """A scheduler leaves initial_lr in the groups, which is taken for the rate."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        rate = group.get("initial_lr", group["lr"])
        super().move(p, g, state, {**group, "lr": rate})


class CountsSkippedSteps(PlainAdam):
    """Divides by grad_scale, and leaves parameters where gradients are infinite, but counts."""

    _step_supports_amp_scaling = True

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        scale, found = getattr(self, "grad_scale", None), getattr(self, "found_inf", None)
        if found is not None and float(found) > 0:
            state["step"] = state.get("step", 0) + 1
            return
        super().move(p, g if scale is None else g / scale, state, group)


class LastBackward(PlainAdam):
    """Listens to backward passes, and takes the last one's gradient for all of it."""

    def __init__(self, params: Any, *arguments: Any, **keywords: Any) -> None:
        super().__init__(params, *arguments, **keywords)
        for p in (p for group in self.param_groups for p in group["params"]):
            p.register_hook(lambda g, p=p: setattr(p, "heard", g))

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        heard = vars(p).pop("heard", None)
        super().move(p, g if heard is None else heard, state, group)


class _Differentiable(PlainAdam):
    """Adam out of place, through which autograd sees; what it may not see is for subclasses."""

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: Any = 1e-8,
        weight_decay: Any = 0.0,
        maximize: bool = False,
        differentiable: bool = True,
    ) -> None:
        self.differentiable = differentiable
        super().__init__(params, lr, betas, eps, weight_decay, maximize)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        self.defaults["differentiable"] = self.differentiable
        super().add_param_group(param_group)

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        with torch.set_grad_enabled(self.differentiable):
            g = -p.grad if group["maximize"] else p.grad
            g = g + group["weight_decay"] * p
            t = state["step"] = state.get("step", 0) + 1
            b1, b2 = group["betas"]
            m = state["m"] = b1 * state.get("m", torch.zeros_like(p)) + (1 - b1) * g
            v = state["v"] = b2 * state.get("v", torch.zeros_like(p)) + (1 - b2) * g * g
            scale = self.scale((v / (1 - b2**t)).sqrt() + group["eps"])
            p.sub_(self.rate(group["lr"]) * (m / (1 - b1**t)) / scale)

    def scale(self, x: Tensor) -> Tensor:
        return x

    def rate(self, lr: Any) -> Any:
        return lr


class DetachesTheScale(_Differentiable):
    """The denominator is taken for a constant."""

    def scale(self, x: Tensor) -> Tensor:
        return x.detach()


class DetachesTheRate(_Differentiable):
    """A rate that is to be learned is read as a number."""

    def rate(self, lr: Any) -> Any:
        return float(lr)


class WithoutEpsWhenCompiled(PlainAdam):
    """Has a way of its own for torch.compile(), where eps was forgotten."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        own = {**group, "eps": 0.0} if torch.compiler.is_compiling() else group
        super().move(p, g, state, own)
