"""Schedule-free SGD: the authors' package, another, and the paper's equations by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meta.correct.frame import Frame, Group, State
from sources import Source

if TYPE_CHECKING:
    from torch import Tensor


class BetweenSequences(Frame):
    """Equations 2 to 4: y = (1 - b) z + b x; z moves along the gradient at y; x averages z."""

    def __init__(
        self,
        params: Any,
        lr: float = 1.0,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        warmup_steps: int = 0,
        r: float = 0.0,
        weight_lr_power: float = 2.0,
        maximize: bool = False,
    ) -> None:
        bad = [n for n in (lr, weight_decay, warmup_steps, r, weight_lr_power) if not n >= 0]
        if bad or not 0 < momentum < 1 or warmup_steps != int(warmup_steps):
            raise ValueError(f"out of range: {bad or (momentum, warmup_steps)}")
        own = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        warm = {"warmup_steps": warmup_steps, "r": r, "weight_lr_power": weight_lr_power}
        super().__init__(params, {**own, **warm, "maximize": maximize})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if not state:
            state.update(z=p.detach().clone(), k=0, total=0.0, highest=0.0)
        b, z = group["momentum"], state["z"]
        x = self.average(p, z, state, b)
        state["k"] += 1
        warm = state["k"] / group["warmup_steps"] if state["k"] < group["warmup_steps"] else 1
        rate = warm * group["lr"]
        state["highest"] = max(state["highest"], rate)
        weight = state["k"] ** group["r"] * state["highest"] ** group["weight_lr_power"]
        state["total"] += weight
        share = weight / state["total"] if state["total"] else 0.0
        z.sub_(rate * g)
        x.mul_(1 - share).add_(share * z)
        p.copy_(z + b * (x - z))

    def average(self, y: Tensor, z: Tensor, state: State, b: float) -> Tensor:
        """x, which follows from the other two."""
        return z + (y - z) / b


class ThreeSequences(BetweenSequences):
    """The same with x kept."""

    def average(self, y: Tensor, z: Tensor, state: State, b: float) -> Tensor:
        if "x" not in state:
            state["x"] = y.detach().clone()
        found: Tensor = state["x"]
        return found


PACKAGES = {
    "gradients/none": "all parameters of a group share one step counter, and one sum of weights",
    "gradients/untouched": "computes the direction in p.grad itself",
}
SOURCES = (
    Source("schedulefree-sgd/authors", "schedulefree:SGDScheduleFree", defects=PACKAGES),
    Source("schedulefree-sgd/authors", "pytorch_optimizer:ScheduleFreeSGD", defects=PACKAGES),
    Source("schedulefree-sgd/authors", BetweenSequences, paper="arXiv:2405.15682, x solved for"),
    Source("schedulefree-sgd/paper", ThreeSequences, paper="arXiv:2405.15682, equations 2 to 4"),
    Source("schedulefree-sgd/paper", "schedulefree:SGDScheduleFreeReference", defects=PACKAGES),
)
