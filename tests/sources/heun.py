"""Heun's method, transcribed from two textbooks: no package has it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from sources import Source


class Flow(torch.optim.Optimizer):
    """What both have in common: one learning rate for each group, and the gradient flow."""

    def __init__(self, params: Any, lr: float = 1e-2, maximize: bool = False) -> None:
        if lr < 0:
            raise ValueError(f"lr is {lr}")
        super().__init__(params, {"lr": lr, "maximize": maximize})

    def parameters(self) -> list[tuple[Tensor, float]]:
        """Every parameter with its signed step size."""
        groups = self.param_groups
        rates = [-g["lr"] if g["maximize"] else g["lr"] for g in groups]
        return [(p, h) for g, h in zip(groups, rates, strict=True) for p in g["params"]]

    def slopes(self, closure: Any) -> tuple[Any, list[Tensor]]:
        """The loss, and f(x) of the flow x' = f(x)."""
        with torch.enable_grad():
            loss = closure()
        return loss, [-p.grad for p, _ in self.parameters()]


class Trapezoid(Flow):
    """The end point by Euler's rule, then the mean of the slopes at both ends from the start."""

    @torch.no_grad()
    def step(self, closure: Any) -> Any:
        start = [p.clone() for p, _ in self.parameters()]
        loss, first = self.slopes(closure)
        for (p, h), f in zip(self.parameters(), first, strict=True):
            p.add_(h * f)
        _, second = self.slopes(closure)
        for (p, h), y, f, g in zip(self.parameters(), start, first, second, strict=True):
            p.copy_(y + (h / 2) * (f + g))
        return loss


class ImprovedEuler(Flow):
    """k1 = h f(y), k2 = h f(y + k1), y + (k1 + k2) / 2: kept as increments, moved in place."""

    @torch.no_grad()
    def step(self, closure: Any) -> Any:
        loss, slopes = self.slopes(closure)
        k1 = [h * f for (_, h), f in zip(self.parameters(), slopes, strict=True)]
        torch._foreach_add_([p for p, _ in self.parameters()], k1)
        _, slopes = self.slopes(closure)
        for (p, h), k, f in zip(self.parameters(), k1, slopes, strict=True):
            p.sub_(k).add_(0.5 * (k + h * f))
        return loss


SOURCES = (
    Source("heun/paper", Trapezoid, paper="Hairer, Norsett and Wanner, equation II.1.2"),
    Source("heun/paper", ImprovedEuler, paper="Sueli and Mayers, improved Euler method"),
)
