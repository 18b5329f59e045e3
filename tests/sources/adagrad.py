"""AdaGrad: torch's, the paper's rule and TensorFlow's by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from meta.correct.frame import Frame, Group, State
from sources import Source

if TYPE_CHECKING:
    from torch import Tensor


class Box(Frame):
    """The diagonal rule of figure 1: delta is added to the root of the sum."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        maximize: bool = False,
    ) -> None:
        numbers = {"lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay, "eps": eps}
        numbers["initial_accumulator_value"] = initial_accumulator_value
        for name, value in numbers.items():
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} is {value}")
        super().__init__(params, {**numbers, "maximize": maximize})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if not state:
            state["t"] = 0
            state["accumulator"] = torch.full_like(p, group["initial_accumulator_value"])
        rate = group["lr"] / (1 + state["t"] * group["lr_decay"])
        state["t"] += 1
        state["accumulator"] += g * g
        p -= rate * (g / self.denominator(state["accumulator"], group["eps"]))

    def denominator(self, s: Tensor, eps: float) -> Tensor:
        return s.sqrt() + eps


class Inside(Box):
    """With eps, if any, under the root."""

    def denominator(self, s: Tensor, eps: float) -> Tensor:
        return torch.sqrt(s + eps)


ONE = {"groups/own-values": "one initial_accumulator_value for all groups, whatever they say"}
SOURCES = (
    Source(
        "adagrad/torch",
        "torch.optim:Adagrad",
        defects={**ONE, "implementations/fused": "takes every parameter for contiguous"},
    ),
    Source("adagrad/torch", Box, paper="Duchi, Hazan and Singer 2011, figure 1"),
    *(
        Source(f"adagrad/{name}", Inside, paper="TensorFlow's ApplyAdagradV2")
        for name in ("keras", "optax", "tf1")
    ),
)
