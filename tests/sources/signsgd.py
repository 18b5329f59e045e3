"""signSGD and Signum: pytorch_optimizer's, and the paper's two algorithms by hand."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from meta.correct.frame import Frame, Group, State
from sources import Source


class SignumFrame(Frame):
    """Arguments of the papers' boxes; no momentum keeps nothing."""

    share = "1 - beta"

    def __init__(
        self, params: Any, lr: float = 1e-3, momentum: float = 0.9, weight_decay: float = 0.0
    ) -> None:
        own = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__(params, {**own, "maximize": False, "decoupled": True})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        beta = group["momentum"]
        m = state.setdefault("m", torch.zeros_like(p))
        m.mul_(beta).add_(g, alpha=1 - beta if self.share == "1 - beta" else 1)
        p -= group["lr"] * (m.sign() + group["weight_decay"] * p)


class Summed(SignumFrame):
    share = "1"


class PlainSign(Frame):
    def __init__(self, params: Any, lr: float = 1e-3, weight_decay: float = 0.0) -> None:
        own = {"lr": lr, "weight_decay": weight_decay}
        super().__init__(params, {**own, "maximize": False, "decoupled": True})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        p -= group["lr"] * (g.sign() + group["weight_decay"] * p)


ASCENT = {"gradients/untouched": "negates p.grad itself to ascend"}
PENALTY = {"gradients/untouched": "adds the weight decay to p.grad itself"}
NONE = {"momentum": 0.0}
L2 = {"weight_decouple": False}
SOURCES = (
    Source("signsgd/paper", PlainSign, paper="Bernstein et al., algorithm 1"),
    Source("signsgd/paper", "pytorch_optimizer:SignSGD", keywords=NONE, defects=ASCENT),
    Source("signsgd/l2", "pytorch_optimizer:SignSGD", keywords={**NONE, **L2}, defects=PENALTY),
    Source("signum/paper", SignumFrame, paper="Bernstein et al., algorithm 2"),
    Source("signum/paper", "pytorch_optimizer:SignSGD", defects=ASCENT),
    Source("signum/paper", "pytorch_optimizer:Tiger", defects=ASCENT),
    Source("signum/sum", Summed, paper="Bernstein et al., algorithm 2, on torch's buffer"),
    Source("signum/l2", "pytorch_optimizer:SignSGD", keywords=L2, defects=PENALTY),
)
