"""RMSprop: torch's, and the forms of Graves, TensorFlow and its descendants by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from meta.correct.frame import Frame, Group, State
from sources import Source

if TYPE_CHECKING:
    from torch import Tensor


class Inside(Frame):
    """As the libraries that followed TensorFlow: eps under the root, lr inside the buffer."""

    first = 0.0

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        alpha: float = 0.9,
        eps: float = 1e-7,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        maximize: bool = False,
    ) -> None:
        numbers = {"lr": lr, "alpha": alpha, "eps": eps, "momentum": momentum}
        numbers["weight_decay"] = weight_decay
        for name, value in numbers.items():
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} is {value}")
        super().__init__(params, {**numbers, "centered": centered, "maximize": maximize})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if not state:
            state["ms"] = torch.full_like(p, self.first)
            state["mg"], state["mom"] = torch.zeros_like(p), torch.zeros_like(p)
        state["ms"].mul_(group["alpha"]).addcmul_(g, g, value=1 - group["alpha"])
        n = state["ms"]
        if group["centered"]:
            state["mg"].mul_(group["alpha"]).add_(g, alpha=1 - group["alpha"])
            n = n - state["mg"] ** 2
        state["mom"].mul_(group["momentum"]).add_(group["lr"] * g / (n + group["eps"]).sqrt())
        p.sub_(state["mom"])


class InsideFromOne(Inside):
    first = 1.0


class Graves(Inside):
    """Equations 38 to 45, with a step of the new direction added."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if not state:
            state.update({key: torch.zeros_like(p) for key in ("n", "g", "delta")})
        keep, n, mean, delta = group["alpha"], state["n"], state["g"], state["delta"]
        n.copy_(keep * n + (1 - keep) * g**2)
        mean.copy_(keep * mean + (1 - keep) * g)
        step = group["lr"] * g / torch.sqrt(n - mean**2 + group["eps"])
        delta.copy_(group["momentum"] * delta - step)
        p.add_(delta)


class Clamped(Inside):
    """Torch's, its variance never below zero."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if not state:
            state.update({key: torch.zeros_like(p) for key in ("v", "mean", "buffer")})
        state["v"].lerp_(g * g, 1 - group["alpha"])
        state["mean"].lerp_(g, 1 - group["alpha"])
        deviation = (state["v"] - state["mean"] ** 2).clamp(min=0).sqrt()
        step = g / (deviation + group["eps"])
        if group["momentum"] > 0:
            step += group["momentum"] * state["buffer"]
            state["buffer"].copy_(step)
        p.sub_(group["lr"] * step)


DESCENDANTS = ("keras", "optax", "paddle")
GRAVES = "Graves 2013, equations 38 to 45"
SOURCES = (
    Source("rmsprop/torch", "torch.optim:RMSprop"),
    Source("rmsprop/torch", "torch.optim:RMSprop", keywords={"centered": True}),
    Source("rmsprop/graves", Graves, paper=GRAVES),
    Source("rmsprop/clamp", Clamped, paper="torch's documentation, with a clamp"),
    *(
        Source(f"rmsprop/{name}", Inside, paper="TensorFlow's ApplyRMSProp, started at 0")
        for name in DESCENDANTS
    ),
    Source("rmsprop/tf1", InsideFromOne, paper="TensorFlow's ApplyRMSProp"),
)
