# GENERATED from spec/schedules/step_lr.py by
#     python -m instep.reference.generate
"""StepLR: the recurrence and the closed form, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

from torch.optim import Optimizer

from instep.reference.runtime import scalar_math as math
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.scheduler import Rate, Scheduler


class StepLR(Scheduler):
    """StepLR: the rate falls by a factor every few epochs.

    The dialect is step-lr/torch: torch.optim.lr_scheduler.StepLR.

    Args:
        optimizer: the optimizer whose learning rates are set.
        step_size: epochs from one decay to the next.
        gamma: factor of a decay (default: 0.1).
        last_epoch: epoch of the rates that the optimizer has (default: -1).

    Raises:
        ValueError: a hyperparameter lies outside its domain.
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "step_size": Interval(1, inf, "[)", integer=True),
        "gamma": Interval(-inf, inf, "()"),
    }

    def __init__(
        self,
        optimizer: Optimizer,
        step_size: int,
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        """The recurrence: the rate of every group at this epoch, from the one before."""
        n = self.step_size
        factor = self.gamma
        t = self.last_epoch

        rates: list[Rate] = []
        for _, _, lr_prev in self._before():
            if t > 0 and t % n == 0:
                lr = factor * lr_prev  # step-lr.rate@decay
            else:
                lr = lr_prev  # step-lr.rate@keep
            rates.append(lr)
        return rates

    def _get_closed_form_lr(self) -> list[Rate]:
        """The closed form: the rate of every group at this epoch, from the first one."""
        n = self.step_size
        factor = self.gamma
        t = self.last_epoch

        rates: list[Rate] = []
        for _, base_lr, _ in self._before():
            lr = base_lr * factor ** math.floor(t / n)  # step-lr.closed_form
            rates.append(lr)
        return rates
