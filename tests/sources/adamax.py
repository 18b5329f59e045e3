"""Adamax: torch's, pytorch_optimizer's, and the listings of keras and paddle by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from meta.correct.frame import AdamFrame, Group, State, moments
from sources import Source

if TYPE_CHECKING:
    from torch import Tensor


class Outside(AdamFrame):
    """Algorithm 2 of Adam's paper, eps beside the norm that it divides by."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        beta1, beta2 = group["betas"]
        m, u, t = moments(p, state)
        m.mul_(beta1).add_(g, alpha=1 - beta1)
        torch.maximum(beta2 * u, g.abs(), out=u)
        p.sub_(group["lr"] / (1 - beta1**t) * m / (u + group["eps"]))


class Inside(AdamFrame):
    """The same, with eps added to the norm when it decays."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        beta1, beta2 = group["betas"]
        m, u, t = moments(p, state)
        m.mul_(beta1).add_(g, alpha=1 - beta1)
        torch.maximum(beta2 * u + group["eps"], g.abs(), out=u)
        p.sub_(group["lr"] / (1 - beta1**t) * m / u)


DEFECTS = {
    "gradients/none": "counts the steps of a group, not of a parameter",
    "gradients/untouched": "negates p.grad itself to maximize",
}
SOURCES = (
    Source("adamax/torch", "torch.optim:Adamax"),
    Source("adamax/torch", "pytorch_optimizer:AdaMax", defects=DEFECTS),
    Source("adamax/keras", Outside, paper="Kingma and Ba 2015, algorithm 2"),
    Source("adamax/paddle", Inside, paper="paddle's adamax kernel"),
)
