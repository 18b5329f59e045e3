# GENERATED from spec/schedules/linear_lr.py by
#     python -m instep.reference.generate
"""LinearLR: the recurrence and the closed form, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

from torch.optim import Optimizer

from instep.reference.runtime import scalar_math as math
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.scheduler import Rate, Scheduler


class LinearLR(Scheduler):
    """LinearLR: the factor of the rate changes along a line.

    The dialect is linear-lr/torch: torch.optim.lr_scheduler.LinearLR.

    Args:
        optimizer: the optimizer whose learning rates are set.
        start_factor: factor of the first epoch (default: 0.3333333333333333).
        end_factor: factor from epoch total_iters on (default: 1.0).
        total_iters: epochs from the first factor to the last (default: 5).
        last_epoch: epoch of the rates that the optimizer has (default: -1).

    Raises:
        ValueError: a hyperparameter lies outside its domain.
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "start_factor": Interval(0, 1, "(]"),
        "end_factor": Interval(0, 1, "[]"),
        "total_iters": Interval(1, inf, "[)", integer=True),
    }

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 0.3333333333333333,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        """The recurrence: the rate of every group at this epoch, from the one before."""
        first = self.start_factor
        end = self.end_factor
        n = self.total_iters
        t = self.last_epoch

        rates: list[Rate] = []
        for _, _, lr_prev in self._before():
            if t == 0:
                lr = first * lr_prev  # linear-lr.rate@start
            elif t <= n:
                # linear-lr.rate@rise
                lr = lr_prev * (1 + (end - first) / (n * first + (t - 1) * (end - first)))
            else:
                lr = lr_prev  # linear-lr.rate@keep
            rates.append(lr)
        return rates

    def _get_closed_form_lr(self) -> list[Rate]:
        """The closed form: the rate of every group at this epoch, from the first one."""
        first = self.start_factor
        end = self.end_factor
        n = self.total_iters
        t = self.last_epoch

        rates: list[Rate] = []
        for _, base_lr, _ in self._before():
            lr = base_lr * (first + (end - first) * math.minimum(n, t) / n)  # linear-lr.closed_form
            rates.append(lr)
        return rates
