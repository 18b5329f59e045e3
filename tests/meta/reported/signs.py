"""signSGD and Signum."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from meta.reported.frame import TRAJECTORY, Defect, Frame, Group, State, zeros


class SignSGD(Frame):
    """Correct: the sign of the gradient."""

    def __init__(
        self, params: Any, lr: float = 1e-3, weight_decay: float = 0.0, *, maximize: bool = False
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "maximize": maximize})

    def penalise(self, g: Tensor, p: Tensor, group: Group) -> Tensor:
        return g

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        self.decay(p, group)
        p.sub_(group["lr"] * g.sign())

    def decay(self, p: Tensor, group: Group) -> None:
        p.mul_(1 - group["lr"] * group["weight_decay"])


class Signum(SignSGD):
    """Correct: the sign of an average."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, weight_decay, maximize=maximize)
        for group in self.param_groups:
            group.setdefault("momentum", momentum)
        self.defaults["momentum"] = momentum

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        average = self.kept(state, p)
        average.mul_(group["momentum"]).add_(g, alpha=1 - group["momentum"])
        super().move(p, average, state, group)

    def kept(self, state: State, p: Tensor) -> Tensor:
        return zeros(state, p, "momentum_buffer")[0]


class DecayForgotten(SignSGD):
    """pytorch_optimizer checked and stored the weight decay, and never used it."""

    def decay(self, p: Tensor, group: Group) -> None:
        pass


class BufferStartsAgain(Signum):
    """pytorch_optimizer zeroed the buffer in every step."""

    def kept(self, state: State, p: Tensor) -> Tensor:
        state["momentum_buffer"] = torch.zeros_like(p)
        return state["momentum_buffer"]


CORRECT = (
    (SignSGD, "signsgd/paper"),
    (Signum, "signum/paper"),
)
REPORTED = (
    Defect(
        DecayForgotten,
        "signsgd/paper",
        "kozistr/pytorch_optimizer#517",
        "hyperparameters",
        TRAJECTORY,
        "decay: weight_decay ignored, 0 used instead",
    ),
    Defect(
        BufferStartsAgain,
        "signum/paper",
        "kozistr/pytorch_optimizer#516",
        "state",
        TRAJECTORY,
        "signsgd/paper",
    ),
)
UNSEEN: tuple[Defect, ...] = ()
