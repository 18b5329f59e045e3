"""MADGRAD: its authors' release, another package, and the paper's box."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from meta.correct.frame import Frame, Group, State
from sources import Source

if TYPE_CHECKING:
    from torch import Tensor


class Box(Frame):
    """Algorithm 1 of the paper; steps are counted for all parameters together."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        eps: float = 1e-6,
        maximize: bool = False,
    ) -> None:
        own = {"lr": lr, "weight_decay": weight_decay, "eps": eps}
        if not all(0 <= value < float("inf") for value in own.values()) or not 0 <= momentum < 1:
            raise ValueError(f"not all are 0 or more: {own}, momentum {momentum}")
        super().__init__(params, {**own, "momentum": momentum, "maximize": maximize, "k": 0})

    def step(self, closure: Any = None) -> Any:
        count = self.param_groups[0]["k"] + 1
        for group in self.param_groups:
            group["k"] = count
        return super().step(closure)

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if not state:
            state["x0"] = p.clone()
            state["sum"], state["squares"] = torch.zeros_like(p), torch.zeros_like(p)
        weight = group["lr"] * group["k"] ** 0.5
        state["sum"].add_(g, alpha=weight)
        state["squares"].add_(g * g, alpha=weight)
        root = state["squares"].pow(1 / 3)
        # 0 / 0 at eps = 0 stands for a gradient that was always 0.
        share = (state["sum"] / (root + group["eps"])).nan_to_num(nan=0.0)
        c = 1 - group["momentum"]
        p.copy_((1 - c) * p + c * (state["x0"] - share))


UNTOUCHED = {"gradients/untouched": "adds the weight decay to p.grad itself"}
HALVED = dict.fromkeys(
    ("checkpoints/bfloat16", "checkpoints/float16"), "float32 sums are loaded in the narrow type"
)
SOURCES = (
    Source("madgrad/paper", Box, paper="Defazio and Jelassi 2022, algorithm 1"),
    Source("madgrad/release", "madgrad:MADGRAD", defects={**UNTOUCHED, **HALVED}),
    Source(
        "madgrad/release",
        "pytorch_optimizer:MADGRAD",
        rename={"decay": "weight_decouple"},
        defects=UNTOUCHED,
    ),
)
