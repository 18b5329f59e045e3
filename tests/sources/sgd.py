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


UNTOUCHED = {"gradients/untouched": "adds the weight decay to p.grad itself"}
SOURCES = (
    Source("sgd/torch", "torch.optim:SGD"),
    Source("sgd/torch", "optimi:SGD", defects=UNTOUCHED),
    Source("sgd/torch", sgd.Velocity, paper="Sutskever et al. 2013, equations 1 and 2"),
    Source("nesterov/torch", "torch.optim:SGD", keywords={"nesterov": True}),
    Source("nesterov/paper", sgd.LookAhead, paper="Sutskever et al. 2013, equations 3 and 4"),
    Source("sgd/classical", sgd.RateInside, paper="Polyak 1964, equation 9"),
    Source(
        "sgdw/decoupled",
        "pytorch_optimizer:SGDW",
        defects={"gradients/untouched": "negates p.grad itself to ascend"},
    ),
    Source("sgdw/decoupled", "optimi:SGD", keywords={"decouple_wd": True}),
    Source("sgdw/paper", DecayApart, paper="Loshchilov and Hutter, algorithm 1"),
    Source("sgd/ema", sgd.AverageByLerp, paper="exponential moving average of gradients"),
)
