"""MARS: pytorch_optimizer's step of Lion, and the release with its step of AdamW by hand."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from meta.correct.frame import Frame, Group, State, corrections
from sources import Source


class Release(Frame):
    """The approximate form of the release, for parameters of every shape."""

    first_as_it_is = False

    def __init__(
        self,
        params: Any,
        lr: float = 3e-3,
        betas: tuple[float, float] = (0.95, 0.99),
        gamma: float = 0.025,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        own = {"lr": lr, "betas": betas, "gamma": gamma, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**own, "maximize": False, "decoupled": True})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if not state:
            state.update(t=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
            state["last"] = torch.zeros_like(p)
        state["t"] += 1
        c = self.corrected(g, state, group)
        p.sub_(self.update(c, state, group) + group["weight_decay"] * p, alpha=group["lr"])
        state["last"] = g

    def corrected(self, g: Tensor, state: State, group: Group) -> Tensor:
        if self.first_as_it_is and state["t"] == 1:
            return g
        beta1 = group["betas"][0]
        c = (g - state["last"]) * (group["gamma"] * (beta1 / (1 - beta1))) + g
        size = c.norm()
        return c / size if size > 1 else c

    def update(self, c: Tensor, state: State, group: Group) -> Tensor:
        beta1, beta2 = group["betas"]
        c1, c2 = corrections(state["t"], group)
        state["m"].mul_(beta1).add_(c, alpha=1 - beta1)
        state["v"].mul_(beta2).addcmul_(c, c, value=1 - beta2)
        return state["m"] / ((state["v"].sqrt() / c2**0.5 + group["eps"]) * c1)


class FirstAsItIs(Release):
    first_as_it_is = True


class OneAverage(Release):
    def update(self, c: Tensor, state: State, group: Group) -> Tensor:
        state["m"].lerp_(c, 1 - group["betas"][0])
        return state["m"].sign()


LION = {"mars_type": "lion", "optimize_1d": True}
SOURCES = (
    Source("mars/adamw", Release, paper="Yuan et al., the release"),
    Source("mars/lion", OneAverage, paper="Yuan et al., the release with Lion's step"),
    Source(
        "mars/lion",
        "pytorch_optimizer:MARS",
        keywords=LION,
        defects={"gradients/untouched": "negates p.grad itself to ascend"},
    ),
    Source("mars/timm", FirstAsItIs, paper="Yuan et al., the first step as in timm"),
)
