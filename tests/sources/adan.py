"""Adan: optimi's, pytorch_optimizer's, and the paper's box by hand."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from meta.correct.frame import Frame, Group, State
from sources import Source


class AdanFrame(Frame):
    """Arguments of the box, in the paper's convention for betas."""

    default = (0.02, 0.08, 0.01)

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float, float] | None = None,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        own = {"lr": lr, "betas": betas or self.default, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**own, "maximize": False, "decoupled": True})


class Box(AdanFrame):
    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        beta1, beta2, beta3 = group["betas"]
        if not state:
            state.update(m=g.clone(), v=torch.zeros_like(p), n=g * g)
        else:
            change = g - state["g"]
            state["m"] = (1 - beta1) * state["m"] + beta1 * g
            state["v"] = (1 - beta2) * state["v"] + beta2 * change
            state["n"] = (1 - beta3) * state["n"] + beta3 * (g + (1 - beta2) * change) ** 2
        state["g"] = g
        size = group["lr"] / (state["n"].sqrt() + group["eps"])
        p -= size * (state["m"] + (1 - beta2) * state["v"])
        p /= 1 + group["weight_decay"] * group["lr"]


class Mixed(AdanFrame):
    """Averages keep beta, the difference is weighed by 1 - beta2; decay inside the update."""

    default = (0.98, 0.92, 0.99)

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        betas = group["betas"]
        if not state:
            state.update(t=0, last=g, averages=[torch.zeros_like(p) for _ in betas])
        state["t"] += 1
        change = g - state["last"]
        ahead = (1 - betas[1]) * change
        news = (g, change, (g + ahead) ** 2)
        for average, beta, new in zip(state["averages"], betas, news, strict=True):
            average.mul_(beta).add_(new, alpha=1 - beta)
        pairs = zip(state["averages"], betas, strict=True)
        m, v, n = (x / (1 - b ** state["t"]) for x, b in pairs)
        state["last"] = g
        update = (m + (1 - betas[1]) * v) / (n.sqrt() + group["eps"])
        p -= group["lr"] * (update + group["weight_decay"] * p)


GROUP = {"gradients/none": "counts the steps of a group, not of a parameter"}
FOREACH = {"implementations/foreach": "writes its denominator to p.grad"}
# Of a gradient of zero, 0 * lr / eps: in float16 that quotient is infinite.
INFINITE = {"precision/float16": "divides lr by what may be eps alone"}
# Its maximize=True is wrong, which is a finding; bound here, it is not judged.
DESCENT = {"maximize": False}
SOURCES = (
    Source("adan/release", "optimi:Adan", defects={**GROUP, **FOREACH}),
    Source("adan/release", "pytorch_optimizer:Adan", keywords=DESCENT, defects=GROUP),
    Source(
        "adan/no-prox",
        "pytorch_optimizer:Adan",
        keywords={**DESCENT, "weight_decouple": True},
        defects=GROUP,
    ),
    Source("adan/paper", Box, paper="Xie et al., algorithm 1", defects=INFINITE),
    Source("adan/optax", Mixed, paper="Xie et al., with the betas of both conventions"),
)
