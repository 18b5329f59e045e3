"""Adadelta: torch's, pytorch_optimizer's, and the paper's algorithm by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from meta.correct.frame import Frame, Group, State
from sources import Source

if TYPE_CHECKING:
    from torch import Tensor


class Box(Frame):
    """Algorithm 1 of the paper, its step times a learning rate."""

    def __init__(
        self,
        params: Any,
        lr: float = 1.0,
        rho: float = 0.95,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        numbers = {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay}
        for name, value in numbers.items():
            if not 0 <= value < float("inf") or (name == "rho" and value > 1):
                raise ValueError(f"{name} is {value}")
        super().__init__(params, {**numbers, "maximize": maximize})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if not state:
            state.update(g2=torch.zeros_like(p), x2=torch.zeros_like(p))
        rho, eps = group["rho"], group["eps"]
        state["g2"].copy_(rho * state["g2"] + (1 - rho) * g**2)
        step = -torch.sqrt(state["x2"] + eps) / torch.sqrt(state["g2"] + eps) * g
        state["x2"].copy_(rho * state["x2"] + (1 - rho) * step**2)
        p += group["lr"] * step


NEGATED = {"gradients/untouched": "negates p.grad itself to maximize"}
SOURCES = (
    Source("adadelta/torch", "torch.optim:Adadelta"),
    Source("adadelta/torch", "pytorch_optimizer:AdaDelta", defects=NEGATED),
    Source("adadelta/paper", Box, paper="Zeiler 2012, algorithm 1"),
    Source("adadelta/keras", Box, paper="Zeiler 2012, algorithm 1"),
)
