# GENERATED from spec/schedules/cosine_annealing_lr.py by
#     python -m instep.reference.generate
"""CosineAnnealingLR: the recurrence and the closed form, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

from torch.optim import Optimizer

from instep.reference.runtime import scalar_math as math
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.scheduler import Rate, Scheduler


class CosineAnnealingLR(Scheduler):
    """CosineAnnealingLR: half a cosine down, then up.

    The dialect is cosine-annealing-lr/torch: torch.optim.lr_scheduler.CosineAnnealingLR.

    Args:
        optimizer: the optimizer whose learning rates are set.
        T_max: epochs from the highest rate to the lowest.
        eta_min: lowest rate (default: 0.0).
        last_epoch: epoch of the rates that the optimizer has (default: -1).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017,
            arXiv:1608.03983
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "T_max": Interval(1, inf, "[)", integer=True),
        "eta_min": Interval(-inf, inf, "()"),
    }

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        """The recurrence: the rate of every group at this epoch, from the one before."""
        n = self.T_max
        low = self.eta_min
        t = self.last_epoch

        rates: list[Rate] = []
        for _, base_lr, lr_prev in self._before():
            if t == 0:
                lr = lr_prev  # cosine-annealing-lr.rate@start
            elif (t - 1) % (2 * n) == n:
                # cosine-annealing-lr.rate@turn
                lr = lr_prev + (base_lr - low) * (1 - math.cos(math.pi / n)) / 2
            else:
                # cosine-annealing-lr.rate@chained
                lr = (1 + math.cos(math.pi * t / n)) / (1 + math.cos(math.pi * (t - 1) / n)) * (
                    lr_prev - low
                ) + low
            rates.append(lr)
        return rates

    def _get_closed_form_lr(self) -> list[Rate]:
        """The closed form: the rate of every group at this epoch, from the first one."""
        n = self.T_max
        low = self.eta_min
        t = self.last_epoch

        rates: list[Rate] = []
        for _, base_lr, _ in self._before():
            # cosine-annealing-lr.closed_form
            lr = low + (base_lr - low) * (1 + math.cos(math.pi * t / n)) / 2
            rates.append(lr)
        return rates
