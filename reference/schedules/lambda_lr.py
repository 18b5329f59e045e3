# GENERATED from spec/schedules/lambda_lr.py by
#     python -m instep.reference.generate
"""LambdaLR: the recurrence, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from torch.optim import Optimizer

from instep.reference.runtime.intervals import Domain
from instep.reference.runtime.scheduler import Function, Rate, Scheduler, per_group


class LambdaLR(Scheduler):
    """LambdaLR: the first rate times a function of the epoch.

    The dialect is lambda-lr/torch: torch.optim.lr_scheduler.LambdaLR.

    Args:
        optimizer: the optimizer whose learning rates are set.
        lr_lambda: factor of the first rate.
        last_epoch: epoch of the rates that the optimizer has (default: -1).

    Raises:
        ValueError: a hyperparameter lies outside its domain.
    """

    _domains: ClassVar[Mapping[str, Domain]] = {}
    _functions = ("lr_lambdas",)

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Function | Sequence[Function],
        last_epoch: int = -1,
    ) -> None:
        self.lr_lambdas = per_group(lr_lambda, optimizer)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        """The recurrence: the rate of every group at this epoch, from the one before."""
        t = self.last_epoch

        rates: list[Rate] = []
        for number, base_lr, _ in self._before():
            f = self.lr_lambdas[number](t)
            lr = base_lr * f  # lambda-lr.rate
            rates.append(lr)
        return rates
