# GENERATED from spec/schedules/constant_lr.py by
#     python -m instep.reference.generate
"""ConstantLR: the recurrence and the closed form, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

from torch.optim import Optimizer

from instep.reference.runtime import scalar_math as math
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.scheduler import Rate, Scheduler


class ConstantLR(Scheduler):
    """ConstantLR: a smaller rate for the first epochs.

    The dialect is constant-lr/torch: torch.optim.lr_scheduler.ConstantLR.

    Args:
        optimizer: the optimizer whose learning rates are set.
        factor: factor of the first epochs (default: 0.3333333333333333).
        total_iters: epoch from which the rate is the full one (default: 5).
        last_epoch: epoch of the rates that the optimizer has (default: -1).

    Raises:
        ValueError: a hyperparameter lies outside its domain.
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "factor": Interval(0, 1, "(]"),
        "total_iters": Interval(1, inf, "[)", integer=True),
    }

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 0.3333333333333333,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        """The recurrence: the rate of every group at this epoch, from the one before."""
        factor = self.factor
        n = self.total_iters
        t = self.last_epoch

        rates: list[Rate] = []
        for _, _, lr_prev in self._before():
            if t == 0:
                lr = factor * lr_prev  # constant-lr.rate@start
            elif t == n:
                lr = lr_prev / factor  # constant-lr.rate@restore
            else:
                lr = lr_prev  # constant-lr.rate@keep
            rates.append(lr)
        return rates

    def _get_closed_form_lr(self) -> list[Rate]:
        """The closed form: the rate of every group at this epoch, from the first one."""
        factor = self.factor
        n = self.total_iters
        t = self.last_epoch

        rates: list[Rate] = []
        for _, base_lr, _ in self._before():
            lr = base_lr * math.where(t < n, factor, 1)  # constant-lr.closed_form
            rates.append(lr)
        return rates
