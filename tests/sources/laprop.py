"""LaProp: the paper's box and the listing that its authors released, by hand."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from meta.correct.frame import Frame, Group, State
from sources import Source


class Box(Frame):
    """Normalize, average, correct, step."""

    def __init__(
        self,
        params: Any,
        lr: float = 4e-4,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-15,
        weight_decay: float = 0.0,
    ) -> None:
        own = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**own, "maximize": False, "decoupled": True})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        mu, nu = group["betas"]
        if not state:
            state.update(t=0, m=torch.zeros_like(p), n=torch.zeros_like(p))
        state["t"] += 1
        state["n"].mul_(nu).addcmul_(g, g, value=1 - nu)
        normalized = g / ((state["n"] / (1 - nu ** state["t"])).sqrt() + group["eps"])
        state["m"].mul_(mu).add_(normalized, alpha=1 - mu)
        p.add_(state["m"], alpha=-group["lr"] / (1 - mu ** state["t"]))
        p.mul_(1 - group["lr"] * group["weight_decay"])


class Listing(Box):
    """Two running sums of weights instead of powers, the first one over learning rates."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        beta1, beta2 = group["betas"]
        if not state:
            state.update(m=torch.zeros_like(p), v=torch.zeros_like(p), lr_1=0.0, lr_2=0.0)
        state["v"].mul_(beta2).addcmul_(g, g, value=1 - beta2)
        state["lr_1"] = state["lr_1"] * beta1 + (1 - beta1) * group["lr"]
        state["lr_2"] = state["lr_2"] * beta2 + (1 - beta2)
        denominator = state["v"].div(state["lr_2"]).sqrt_().add_(group["eps"])
        state["m"].mul_(beta1).add_(g / denominator, alpha=(1 - beta1) * group["lr"])
        p.add_(state["m"], alpha=-group["lr"] / state["lr_1"])
        p.add_(p, alpha=-group["weight_decay"])


SOURCES = (
    Source("laprop/paper", Box, paper="Ziyin, Wang and Ueda, algorithm 1"),
    Source("laprop/reference", Listing, paper="the release of Ziyin, Wang and Ueda"),
)
