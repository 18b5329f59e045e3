"""ADOPT: pytorch_optimizer's, and the paper's box in its forms by hand."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from meta.correct.frame import Frame, Group, State
from sources import Source


class Box(Frame):
    """Clip what the last second moment normalized; only then look at the square."""

    decoupled, clipped = False, True
    default_power = 0.25

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.9999),
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        clip_exp: float | None = None,
    ) -> None:
        power = self.default_power if clip_exp is None else clip_exp
        own = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        more = {"clip_exp": power, "maximize": False, "decoupled": self.decoupled}
        super().__init__(params, {**own, **more})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if not state:
            state.update(updates=0, m=torch.zeros_like(p), v=g * g)
            return
        state["updates"] += 1
        beta1, beta2 = group["betas"]
        if self.decoupled:
            p.mul_(1 - group["lr"] * group["weight_decay"])
        n = g / state["v"].sqrt().clamp(min=group["eps"])
        if self.clipped:
            most = state["updates"] ** group["clip_exp"]
            n = torch.where(n.abs() > most, most * n.sign(), n)
        state["m"].lerp_(n, 1 - beta1)
        p.sub_(state["m"], alpha=group["lr"])
        state["v"].mul_(beta2).addcmul_(g, g, value=1 - beta2)


class BoxW(Box):
    decoupled = True


class FirstRelease(Box):
    clipped = False


class ThirdPower(Box):
    default_power = 0.333


LIBRARY = "pytorch_optimizer:ADOPT"
APART = {"weight_decouple": True}
GROUP = {"gradients/none": "counts the steps of a group, not of a parameter"}
PENALTY = {"gradients/untouched": "adds the weight decay to p.grad itself"}
ASCENT = {"gradients/untouched": "negates p.grad itself to ascend"}
SOURCES = (
    Source("adopt/paper", Box, paper="Taniguchi et al., algorithm 2"),
    Source("adopt/decoupled", BoxW, paper="Taniguchi et al., algorithm 2 with decoupled decay"),
    Source("adopt/unclipped", FirstRelease, paper="Taniguchi et al., the first version"),
    Source("adopt/late-clip", LIBRARY, defects={**GROUP, **PENALTY}),
    Source("adopt/late-clip-decoupled", LIBRARY, keywords=APART, defects={**GROUP, **ASCENT}),
    Source("adopt/third-power", ThirdPower, paper="Taniguchi et al., clipped as in timm"),
)
