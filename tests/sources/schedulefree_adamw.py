"""Schedule-free AdamW: the authors' package, another, and algorithm 1 by hand."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from meta.correct.frame import Frame, Group, State
from sources import Source


class AlgorithmOne(Frame):
    """Algorithm 1: the rate holds the root of the correction; x follows from the other two."""

    def __init__(
        self,
        params: Any,
        lr: float = 2.5e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        warmup_steps: int = 0,
        r: float = 0.0,
        weight_lr_power: float = 2.0,
        maximize: bool = False,
    ) -> None:
        bad = [n for n in (lr, eps, weight_decay, warmup_steps, r, weight_lr_power) if not n >= 0]
        if bad or not (0 < betas[0] < 1 and 0 <= betas[1] < 1) or warmup_steps != int(warmup_steps):
            raise ValueError(f"out of range: {bad or (betas, warmup_steps)}")
        own = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        warm = {"warmup_steps": warmup_steps, "r": r, "weight_lr_power": weight_lr_power}
        super().__init__(params, {**own, **warm, "maximize": maximize, "decoupled": True})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if not state:
            zeros = torch.zeros_like(p)
            state.update(z=p.detach().clone(), v=zeros, k=0, total=0.0, highest=0.0)
        b1, z = group["betas"][0], state["z"]
        x = self.average(p, z, state, b1)
        state["k"] += 1
        warm = state["k"] / group["warmup_steps"] if state["k"] < group["warmup_steps"] else 1
        rate, direction = self.scaled(warm * group["lr"], g, state, group)
        direction = direction + group["weight_decay"] * self.decaying(p, z)
        state["highest"] = max(state["highest"], rate)
        weight = state["k"] ** group["r"] * state["highest"] ** group["weight_lr_power"]
        state["total"] += weight
        share = self.share(weight / state["total"] if state["total"] else 0.0, group)
        z.sub_(rate * direction)
        x.add_(share * (z - x))
        p.copy_(self.between(x, z, b1))

    def average(self, y: Tensor, z: Tensor, state: State, b1: float) -> Tensor:
        return z + (y - z) / b1

    def between(self, x: Tensor, z: Tensor, b1: float) -> Tensor:
        return z + b1 * (x - z)

    def scaled(self, rate: float, g: Tensor, state: State, group: Group) -> tuple[float, Tensor]:
        """The rate, and the gradient over the root of its moment."""
        b2 = group["betas"][1]
        state["v"].mul_(b2).addcmul_(g, g, value=1 - b2)
        return rate * (1 - b2 ** state["k"]) ** 0.5, g / (state["v"].sqrt() + group["eps"])

    def decaying(self, y: Tensor, z: Tensor) -> Tensor:
        return y

    def share(self, plain: float, group: Group) -> float:
        return plain


class Corrected(AlgorithmOne):
    """With Adam's correction of the moment."""

    floor = 0.0

    def scaled(self, rate: float, g: Tensor, state: State, group: Group) -> tuple[float, Tensor]:
        b2 = group["betas"][1]
        state["v"].mul_(b2).addcmul_(g, g, value=1 - b2)
        corrected = state["v"] / (1 - b2 ** state["k"])
        return rate, g / ((corrected + self.floor).sqrt() + group["eps"])


class Stored(Corrected):
    """With x kept, and y as equation 2 writes it."""

    def average(self, y: Tensor, z: Tensor, state: State, b1: float) -> Tensor:
        if "x" not in state:
            state["x"] = y.detach().clone()
        found: Tensor = state["x"]
        return found

    def between(self, x: Tensor, z: Tensor, b1: float) -> Tensor:
        return (1 - b1) * z + b1 * x


class SelfDecaying(Stored):
    """The base sequence decays itself."""

    def decaying(self, y: Tensor, z: Tensor) -> Tensor:
        return z


class Guarded(Corrected):
    """With the constant under the root."""

    floor = 1e-15


class Refined(Guarded):
    """The share of the refined method: min(1, (1 - b1) C c)."""

    def __init__(self, params: Any, decoupling_c: float = 50.0, **rest: Any) -> None:
        if not decoupling_c > 0:
            raise ValueError(f"decoupling_c is {decoupling_c}")
        super().__init__(params, **rest)
        self.defaults["decoupling_c"] = decoupling_c
        for group in self.param_groups:
            group.setdefault("decoupling_c", decoupling_c)

    def share(self, plain: float, group: Group) -> float:
        factor: float = group["decoupling_c"]
        return min(1.0, plain * (1 - group["betas"][0]) * factor)


PACKAGES = {
    "gradients/none": "all parameters of a group share one step counter, and one sum of weights",
    "gradients/untouched": "computes the direction in p.grad itself",
}
REFERENCE = {"gradients/none": PACKAGES["gradients/none"]}
SOURCES = (
    Source("schedulefree-adamw/authors", "schedulefree:AdamWScheduleFree", defects=PACKAGES),
    Source("schedulefree-adamw/authors", Corrected, paper="arXiv:2405.15682, x solved for"),
    Source("schedulefree-adamw/paper", AlgorithmOne, paper="arXiv:2405.15682, algorithm 1"),
    Source("schedulefree-adamw/paper", "schedulefree:AdamWScheduleFreePaper", defects=PACKAGES),
    Source("schedulefree-adamw/stored", Stored, paper="arXiv:2405.15682, Adam's correction"),
    Source(
        "schedulefree-adamw/stored", "schedulefree:AdamWScheduleFreeReference", defects=REFERENCE
    ),
    Source("schedulefree-adamw/decay-at-base", SelfDecaying, paper="arXiv:2405.15682, decay at z"),
    Source(
        "schedulefree-adamw/decay-at-base",
        "schedulefree:AdamWScheduleFreeReference",
        keywords={"decay_at_z": True},
        defects=REFERENCE,
    ),
    Source("schedulefree-adamw/guarded", Guarded, paper="arXiv:2405.15682, a constant more"),
    Source("schedulefree-adamw/guarded", "pytorch_optimizer:ScheduleFreeAdamW", defects=PACKAGES),
    Source("schedulefree-adamw/refined", Refined, paper="arXiv:2507.09846"),
    Source(
        "schedulefree-adamw/refined",
        "pytorch_optimizer:ScheduleFreeAdamW",
        keywords={"decoupling_c": 50},
        defects=PACKAGES,
    ),
)
