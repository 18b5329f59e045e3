"""ASGD: torch's, and two transcriptions of the recursion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meta.correct.frame import Frame, Group, State
from sources import Source

if TYPE_CHECKING:
    from torch import Tensor


class Averaged(Frame):
    """Xu's recursion: step t has the step size and the weight of t."""

    lag = 0

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        if lr < 0 or weight_decay < 0:
            raise ValueError(f"lr {lr} or weight_decay {weight_decay} is negative")
        own = {"lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay}
        super().__init__(params, {**own, "maximize": maximize})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        t = state["t"] = state.get("t", 0) + 1
        eta, weight = self.schedule(t - self.lag, state, group)
        p -= eta * (g + group["lambd"] * p)
        if "mean" not in state:
            state["mean"] = p.new_zeros(p.shape)
        state["mean"] = (1 - weight) * state["mean"] + weight * p

    def schedule(self, t: int, state: State, group: Group) -> tuple[float, float]:
        eta = group["lr"] * (1 + group["lambd"] * group["lr"] * t) ** -group["alpha"]
        return eta, 1 / max(1, t - group["t0"])


class Lagging(Averaged):
    """Step t has the step size and the weight of t - 1, as torch's; kept, not computed anew."""

    def schedule(self, t: int, state: State, group: Group) -> tuple[float, float]:
        used = state.get("next", (group["lr"], 1.0))
        state["next"] = super().schedule(t, state, group)
        return used


SOURCES = (
    Source(
        "asgd/torch",
        "torch.optim:ASGD",
        defects=dict.fromkeys(
            ("checkpoints/bfloat16", "checkpoints/float16"),
            "float32 step sizes are loaded in the narrow type",
        ),
    ),
    Source("asgd/torch", Lagging, paper="Xu 2011, one step late"),
    Source("asgd/paper", Averaged, paper="Xu 2011, section 4"),
)
