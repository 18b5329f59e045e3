"""Schedule-free RAdam: the authors' package, another, and the equations by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meta.correct.frame import Group, State
from sources import Source
from sources.schedulefree_adamw import PACKAGES, Corrected

if TYPE_CHECKING:
    from torch import Tensor


class Rectified(Corrected):
    """The same sequences with RAdam's factor in the rate, which is 0 before there is one."""

    unrectified = 0.0

    def __init__(
        self,
        params: Any,
        lr: float = 2.5e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        r: float = 0.0,
        weight_lr_power: float = 2.0,
        maximize: bool = False,
    ) -> None:
        own = {"r": r, "weight_lr_power": weight_lr_power, "maximize": maximize}
        super().__init__(params, lr, betas, eps, weight_decay, **own)  # type: ignore[arg-type]

    def scaled(self, rate: float, g: Tensor, state: State, group: Group) -> tuple[float, Tensor]:
        _, direction = super().scaled(rate, g, state, group)
        b2, k = group["betas"][1], state["k"]
        longest = 2 / (1 - b2) - 1
        length = longest - 2 * k * b2**k / (1 - b2**k)
        if length <= 4:
            return rate * self.unrectified, g
        top, bottom = (length - 4) * (length - 2) * longest, (longest - 4) * (longest - 2) * length
        return rate * (top / bottom) ** 0.5, direction


class Loud(Rectified):
    """With steps of SGD before."""

    unrectified = 1.0


SOURCES = (
    Source(
        "schedulefree-radam/authors",
        "schedulefree:RAdamScheduleFree",
        defects={**PACKAGES, "modes/lr-tensor": "0 / 0 is NaN where it is no ZeroDivisionError"},
    ),
    Source(
        "schedulefree-radam/authors",
        "pytorch_optimizer:ScheduleFreeRAdam",
        fixed=("silent_sgd_phase",),  # False makes the rate 1
        defects=PACKAGES,
    ),
    Source("schedulefree-radam/authors", Rectified, paper="arXiv:2405.15682 and arXiv:1908.03265"),
    Source("schedulefree-radam/sgd", Loud, paper="arXiv:2405.15682 and arXiv:1908.03265"),
    Source(
        "schedulefree-radam/sgd",
        "schedulefree:RAdamScheduleFree",
        keywords={"silent_sgd_phase": False},
        defects=PACKAGES,
    ),
)
