"""AdEMAMix: pytorch_optimizer's, and the release of its authors by hand."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from meta.correct.frame import Frame, Group, State, corrections
from sources import Source


class Release(Frame):
    """As released: half-lives grow linearly, and decay is inside the update."""

    warms_up = False

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float, float] = (0.9, 0.999, 0.9999),
        alpha: float = 2.0,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        own = {"lr": lr, "betas": betas, "alpha": alpha, "eps": eps}
        more = {"weight_decay": weight_decay, "decoupled": True, "maximize": False}
        super().__init__(params, {**own, **more})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if not state:
            state.update(t=0, fast=torch.zeros_like(p), slow=torch.zeros_like(p))
            state["v"] = torch.zeros_like(p)
        state["t"] += 1
        beta1, beta2, _ = group["betas"]
        alpha, beta3 = self.mixture(state["t"], group)
        state["fast"].mul_(beta1).add_(g, alpha=1 - beta1)
        state["slow"].mul_(beta3).add_(g, alpha=1 - beta3)
        state["v"].mul_(beta2).addcmul_(g, g, value=1 - beta2)
        c1, c2 = corrections(state["t"], {"betas": (beta1, beta2)})
        denominator = state["v"].sqrt() / math.sqrt(c2) + group["eps"]
        update = (state["fast"] / c1 + alpha * state["slow"]) / denominator
        p.add_(update + group["weight_decay"] * p, alpha=-group["lr"])

    def mixture(self, t: int, group: Group) -> tuple[float, float]:
        return group["alpha"], group["betas"][2]


class WarmUp(Release):
    """The schedules of the box, the second one through half-lives."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float, float] = (0.9, 0.999, 0.9999),
        alpha: float = 2.0,
        t_alpha_beta3: float = 1000.0,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr, betas, alpha, eps, weight_decay)
        self.defaults["t_alpha_beta3"] = t_alpha_beta3
        for group in self.param_groups:
            group.setdefault("t_alpha_beta3", t_alpha_beta3)

    def mixture(self, t: int, group: Group) -> tuple[float, float]:
        beta1, _, beta3 = group["betas"]
        done = t / group["t_alpha_beta3"]
        first, last = (-math.log(2) / math.log(b) for b in (beta1, beta3))
        half_life = (1 - done) * first + done * last
        return min(done, 1) * group["alpha"], min(0.5 ** (1 / half_life), beta3)


LIBRARY = "pytorch_optimizer:AdEMAMix"
APART = {"weight_decouple": True}
WARM = {"t_alpha_beta3": 8.0}
GROUP = {"gradients/none": "counts the steps of a group, not of a parameter"}
PENALTY = {"gradients/untouched": "adds the weight decay to p.grad itself"}
ASCENT = {"gradients/untouched": "negates p.grad itself to ascend"}
SOURCES = (
    Source("ademamix/constant", Release, paper="Pagliardini et al., the release"),
    Source("ademamix/constant", LIBRARY, keywords=APART, defects={**GROUP, **ASCENT}),
    Source("ademamix/paper", WarmUp, paper="Pagliardini et al., algorithm 1"),
    Source("ademamix/paper", LIBRARY, keywords={**APART, **WARM}, defects={**GROUP, **ASCENT}),
    Source("ademamix/l2", LIBRARY, defects={**GROUP, **PENALTY}),
    Source(
        "ademamix/decay-unscaled",
        LIBRARY,
        keywords={**APART, "fixed_decay": True},
        defects={**GROUP, **ASCENT},
    ),
)
