# GENERATED from spec/schedules/multi_step_lr.py by
#     python -m instep.reference.generate
"""MultiStepLR: the recurrence and the closed form, one equation a line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf
from typing import ClassVar

from torch.optim import Optimizer

from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.scheduler import Rate, Scheduler


class MultiStepLR(Scheduler):
    """MultiStepLR: the rate falls by a factor at each milestone.

    The dialect is multi-step-lr/torch: torch.optim.lr_scheduler.MultiStepLR.

    Args:
        optimizer: the optimizer whose learning rates are set.
        milestones: epochs at which the rate falls; one that is there twice counts twice.
        gamma: factor of a decay (default: 0.1).
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
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones = sorted(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        """The recurrence: the rate of every group at this epoch, from the one before."""
        factor = self.gamma
        milestones = self.milestones
        t = self.last_epoch

        hits = sum(each == t for each in milestones)  # multi-step-lr.hits
        rates: list[Rate] = []
        for _, _, lr_prev in self._before():
            lr = factor**hits * lr_prev  # multi-step-lr.rate
            rates.append(lr)
        return rates

    def _get_closed_form_lr(self) -> list[Rate]:
        """The closed form: the rate of every group at this epoch, from the first one."""
        factor = self.gamma
        milestones = self.milestones
        t = self.last_epoch

        rates: list[Rate] = []
        for _, base_lr, _ in self._before():
            # multi-step-lr.closed_form
            lr = base_lr * factor ** sum(each <= t for each in milestones)
            rates.append(lr)
        return rates
