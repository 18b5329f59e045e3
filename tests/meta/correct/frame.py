"""What the rewrites share: groups, closure, gradients; each says how one parameter moves."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

State = dict[str, Any]
Group = dict[str, Any]


class Frame(torch.optim.Optimizer):
    """The loop over groups and parameters; a subclass has `move`."""

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        with torch.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        self.move(p, gradient(p, group), self.state[p], group)
        return loss

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        raise NotImplementedError


class AdamFrame(Frame):
    """Adam's arguments."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        own = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        for name, value in (*own.items(), *zip(("beta1", "beta2"), betas, strict=True)):
            if name != "betas" and not 0 <= value < (1 if name.startswith("beta") else math.inf):
                raise ValueError(f"{name} is {value}")
        super().__init__(params, {**own, "maximize": maximize, "decoupled": self.decoupled})

    decoupled = False


class AdamWFrame(AdamFrame):
    """AdamW's arguments; `move` is given the plain gradient, and has to decay the parameter."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, maximize)

    decoupled = True


class SGDFrame(Frame):
    """SGD's arguments."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        maximize: bool = False,
    ) -> None:
        if lr < 0 or momentum < 0 or weight_decay < 0:
            raise ValueError(f"lr {lr}, momentum {momentum} or weight_decay {weight_decay} < 0")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("nesterov needs momentum and no dampening")
        own = {"lr": lr, "momentum": momentum, "dampening": dampening}
        options = {"nesterov": nesterov, "maximize": maximize}
        super().__init__(params, {**own, "weight_decay": weight_decay, **options})


def gradient(p: Tensor, group: Group) -> Tensor:
    """The gradient of what is minimised, the L2 penalty included; always a new tensor."""
    assert p.grad is not None
    g = -p.grad if group["maximize"] else p.grad.clone()
    if group["weight_decay"] != 0 and not group.get("decoupled", False):
        g += group["weight_decay"] * p
    return g


def moments(p: Tensor, state: State) -> tuple[Tensor, Tensor, int]:
    """Adam's two moments and the number of this step, created with the first."""
    if not state:
        state.update(step=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
    state["step"] += 1
    return state["m"], state["v"], state["step"]


def corrections(t: int, group: Group) -> tuple[float, float]:
    """1 - beta^t for both moments."""
    beta1, beta2 = group["betas"]
    return 1 - beta1**t, 1 - beta2**t


def apply(p: Tensor, m: Tensor, v: Tensor, t: int, group: Group) -> None:
    """Adam's update as the paper writes it."""
    c1, c2 = corrections(t, group)
    p -= group["lr"] * ((m / c1) / ((v / c2).sqrt() + group["eps"]))
