# GENERATED from spec/schedules/exponential_lr.py by
#     python -m instep.reference.generate
"""ExponentialLR: the recurrence and the closed form, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

from torch.optim import Optimizer

from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.scheduler import Rate, Scheduler


class ExponentialLR(Scheduler):
    """ExponentialLR: the rate falls by a factor at every epoch.

    The dialect is exponential-lr/torch: torch.optim.lr_scheduler.ExponentialLR.

    Args:
        optimizer: the optimizer whose learning rates are set.
        gamma: factor of a decay.
        last_epoch: epoch of the rates that the optimizer has (default: -1).

    Raises:
        ValueError: a hyperparameter lies outside its domain.
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "gamma": Interval(-inf, inf, "()"),
    }

    def __init__(
        self,
        optimizer: Optimizer,
        gamma: float,
        last_epoch: int = -1,
    ) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        """The recurrence: the rate of every group at this epoch, from the one before."""
        factor = self.gamma
        t = self.last_epoch

        rates: list[Rate] = []
        for _, _, lr_prev in self._before():
            if t > 0:
                lr = factor * lr_prev  # exponential-lr.rate@decay
            else:
                lr = lr_prev  # exponential-lr.rate@start
            rates.append(lr)
        return rates

    def _get_closed_form_lr(self) -> list[Rate]:
        """The closed form: the rate of every group at this epoch, from the first one."""
        factor = self.gamma
        t = self.last_epoch

        rates: list[Rate] = []
        for _, base_lr, _ in self._before():
            lr = base_lr * factor**t  # exponential-lr.closed_form
            rates.append(lr)
        return rates
