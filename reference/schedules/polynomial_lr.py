# GENERATED from spec/schedules/polynomial_lr.py by
#     python -m instep.reference.generate
"""PolynomialLR: the recurrence and the closed form, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

from torch.optim import Optimizer

from instep.reference.runtime import scalar_math as math
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.scheduler import Rate, Scheduler


class PolynomialLR(Scheduler):
    """PolynomialLR: the rate falls to zero as a power.

    The dialect is polynomial-lr/torch: torch.optim.lr_scheduler.PolynomialLR.

    Args:
        optimizer: the optimizer whose learning rates are set.
        total_iters: epoch at which the rate is zero (default: 5).
        power: power of the fraction of epochs that are left (default: 1.0).
        last_epoch: epoch of the rates that the optimizer has (default: -1).

    Raises:
        ValueError: a hyperparameter lies outside its domain.
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "total_iters": Interval(1, inf, "[)", integer=True),
        "power": Interval(0, inf, "[)"),
    }

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
    ) -> None:
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        """The recurrence: the rate of every group at this epoch, from the one before."""
        n = self.total_iters
        power = self.power
        t = self.last_epoch

        rates: list[Rate] = []
        for _, _, lr_prev in self._before():
            if t > 0 and t <= n:
                lr = (
                    lr_prev * ((1 - t / n) / (1 - (t - 1) / n)) ** power
                )  # polynomial-lr.rate@decay
            else:
                lr = lr_prev  # polynomial-lr.rate@keep
            rates.append(lr)
        return rates

    def _get_closed_form_lr(self) -> list[Rate]:
        """The closed form: the rate of every group at this epoch, from the first one."""
        n = self.total_iters
        power = self.power
        t = self.last_epoch

        rates: list[Rate] = []
        for _, base_lr, _ in self._before():
            lr = base_lr * (1 - math.minimum(n, t) / n) ** power  # polynomial-lr.closed_form
            rates.append(lr)
        return rates
