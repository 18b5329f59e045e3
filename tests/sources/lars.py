"""LARS: two packages' classes, the paper's box, and the transforms that optax chains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meta.correct.frame import Frame, Group, State
from sources import Source

if TYPE_CHECKING:
    from torch import Tensor


class PaperBox(Frame):
    """Algorithm 1, with Nesterov's direction as an addition."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        trust_coefficient: float = 1e-3,
        nesterov: bool = False,
        maximize: bool = False,
    ) -> None:
        own = {"lr": lr, "momentum": momentum, "trust_coefficient": trust_coefficient}
        for name, value in (*own.items(), ("weight_decay", weight_decay)):
            if value < 0 or (name == "momentum" and value >= 1):
                raise ValueError(f"{name} is {value}")
        switches = {"nesterov": nesterov, "maximize": maximize, "decoupled": True}
        super().__init__(params, {**own, "weight_decay": weight_decay, **switches})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        rate = group["lr"] * self.ratio(p, g, group)
        step = rate * (g + group["weight_decay"] * p)
        if "v" in state:
            state["v"].mul_(group["momentum"]).add_(step)
        else:
            state["v"] = step.clone()
        p -= step + group["momentum"] * state["v"] if group["nesterov"] else state["v"]

    def ratio(self, p: Tensor, g: Tensor, group: Group) -> float:
        weight, slope = p.norm().item(), g.norm().item()
        if not weight or not slope:
            return 1.0
        return group["trust_coefficient"] * weight / (slope + group["weight_decay"] * weight)


class Decayed(PaperBox):
    """The decay added first, then the ratio, then the rate, then the trace."""

    def ratio(self, p: Tensor, g: Tensor, group: Group) -> float:
        weight, slope = p.norm().item(), (g + group["weight_decay"] * p).norm().item()
        return group["trust_coefficient"] * weight / slope if weight and slope else 1.0


SOURCES = (
    Source("lars/paper", PaperBox, paper="You, Gitman and Ginsburg, algorithm 1"),
    Source("lars/without-decay", "torch_optimizer:LARS"),
    Source(
        "lars/vectors",
        "pytorch_optimizer:LARS",
        defects={"gradients/untouched": "writes to p.grad"},
    ),
    Source("lars/decayed", Decayed, paper="optax.lars"),
)
