"""SGD with its momenta: torch's, and hand-written forms from the papers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meta.correct import sgd
from meta.correct.frame import Frame, Group, State
from sources import Source

if TYPE_CHECKING:
    from torch import Tensor


class DecayApart(Frame):
    """The box with the schedule multiplier at 1: lr is in the momentum, not in the decay."""

    def __init__(
        self, params: Any, lr: float = 1e-3, momentum: float = 0.9, weight_decay: float = 0.0
    ) -> None:
        own = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__(params, {**own, "maximize": False, "decoupled": True})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m = group["lr"] * g
        if "m" in state:
            m = group["momentum"] * state["m"] + m
        state["m"] = m
        p.sub_(m + group["weight_decay"] * p)


class Average(Frame):
    """An average of gradients; how it starts and is looked ahead along is for subclasses."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        own = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        if not all(0 <= value < float("inf") for value in own.values()):
            raise ValueError(f"not all are 0 or more: {own}")
        super().__init__(params, {**own, "maximize": maximize})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        mu = group["momentum"]
        before = state.get("average", self.start(g))
        state["average"] = before + (1 - mu) * (g - before)
        p.sub_(group["lr"] * self.ahead(state["average"], g, mu))

    def start(self, g: Tensor) -> Tensor:
        return g * 0

    def ahead(self, average: Tensor, g: Tensor, mu: float) -> Tensor:
        return average


class FromGradient(Average):
    def start(self, g: Tensor) -> Tensor:
        return g


class Mixed(Average):
    def ahead(self, average: Tensor, g: Tensor, mu: float) -> Tensor:
        return g.lerp(average, mu)


class Added(Average):
    def ahead(self, average: Tensor, g: Tensor, mu: float) -> Tensor:
        return g.add(average, alpha=mu)


FUSED = {"implementations/fused": "takes every parameter for contiguous; late ones are refused"}
UNTOUCHED = {"gradients/untouched": "adds the weight decay to p.grad itself"}
EMPTY = {"implementations/foreach": "raises where no parameter has a gradient"}
SOURCES = (
    Source("sgd/torch", "torch.optim:SGD", defects=FUSED),
    Source("sgd/torch", "optimi:SGD", defects={**UNTOUCHED, **EMPTY}),
    Source("sgd/torch", sgd.Velocity, paper="Sutskever et al. 2013, equations 1 and 2"),
    Source(
        "nesterov/torch",
        "torch.optim:SGD",
        keywords={"nesterov": True},
        defects={**FUSED, "implementations/foreach": "writes the look-ahead to p.grad"},
    ),
    Source("nesterov/paper", sgd.LookAhead, paper="Sutskever et al. 2013, equations 3 and 4"),
    Source("sgd/classical", sgd.RateInside, paper="Polyak 1964, equation 9"),
    Source(
        "sgdw/decoupled",
        "pytorch_optimizer:SGDW",
        defects={"gradients/untouched": "negates p.grad itself to ascend"},
    ),
    Source("sgdw/decoupled", "optimi:SGD", keywords={"decouple_wd": True}, defects=EMPTY),
    Source("sgdw/paper", DecayApart, paper="Loshchilov and Hutter, algorithm 1"),
    Source("sgd/ema", sgd.AverageByLerp, paper="exponential moving average of gradients"),
    Source("sgd/ema-from-gradient", FromGradient, paper="an average that starts at its first term"),
    Source("nesterov/ema", Mixed, paper="(1 - mu) g + mu v"),
    Source("nesterov/ema-added", Added, paper="g + mu v, v an average"),
)
