"""Yogi: torch_optimizer's, pytorch_optimizer's, and two boxes by hand."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from meta.correct.frame import Frame, Group, State
from sources import Source


class YogiFrame(Frame):
    """The box: the second moment never moves further than the square of the gradient."""

    corrected = False

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-3,
        initial_accumulator: float = 1e-6,
        weight_decay: float = 0.0,
    ) -> None:
        own = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        more = {"initial_accumulator": initial_accumulator, "maximize": False}
        super().__init__(params, {**own, **more})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        beta1, beta2 = group["betas"]
        if not state:
            state["t"], state["m"] = 0, torch.zeros_like(p)
            state["v"] = torch.full_like(p, group["initial_accumulator"])
        state["t"] += 1
        g2 = g * g
        state["m"] = beta1 * state["m"] + (1 - beta1) * g
        state["v"] = state["v"] - (1 - beta2) * torch.sign(state["v"] - g2) * g2
        c1, c2 = (1 - b ** state["t"] if self.corrected else 1 for b in (beta1, beta2))
        p -= group["lr"] * (state["m"] / c1) / ((state["v"] / c2).sqrt() + group["eps"])


class Corrected(YogiFrame):
    corrected = True


GROUP = {"gradients/none": "counts the steps of a group, not of a parameter"}
ASCENT = {"gradients/untouched": "negates p.grad itself to ascend"}
SOURCES = (
    Source("yogi/paper", YogiFrame, paper="Zaheer et al., algorithm 2"),
    Source("yogi/corrected", Corrected, paper="TensorFlow Addons, Yogi"),
    Source("yogi/same-start", "torch_optimizer:Yogi"),
    Source("yogi/decoupled", "pytorch_optimizer:Yogi", defects={**GROUP, **ASCENT}),
)
