# GENERATED from spec/schedules/swa_lr.py by
#     python -m instep.reference.generate
"""SWALR: the recurrence and the closed form, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

from torch.optim import Optimizer

from instep.reference.runtime import scalar_math as math
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.scheduler import Rate, Scheduler


class SWALR(Scheduler):
    """SWALR: to the rate of an average of weights, and no further.

    The dialect is swa-lr/torch: torch.optim.swa_utils.SWALR.

    Args:
        optimizer: the optimizer whose learning rates are set.
        swa_lr: rate while weights are averaged.
        anneal_epochs: epochs from the first rate to that rate (default: 10).
        anneal_strategy: along half a cosine or a line (default: 'cos').
        last_epoch: epoch of the rates that the optimizer has (default: -1).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Izmailov et al., Averaging weights leads to wider optima and better generalization, UAI
            2018, arXiv:1803.05407
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "swa_lr": Interval(0, inf, "[)"),
        "anneal_epochs": Interval(0, inf, "[)", integer=True),
    }

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float,
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        self.swa_lr = swa_lr
        self.anneal_epochs = anneal_epochs
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of cos, linear, got {anneal_strategy!r}")
        self.anneal_strategy = anneal_strategy
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        """The recurrence: the rate of every group at this epoch, from the one before."""
        target = self.swa_lr
        n = self.anneal_epochs
        anneal_strategy = self.anneal_strategy
        t = self.last_epoch

        rates: list[Rate] = []
        for _, _, lr_prev in self._before():
            if t < n:
                if anneal_strategy == "cos":
                    share = (1 - math.cos(math.pi * t / n)) / 2  # swa-lr.share@cos
                    before = (1 - math.cos(math.pi * (t - 1) / n)) / 2  # swa-lr.share_before@cos
                else:
                    share = t / n  # swa-lr.share@linear
                    before = (t - 1) / n  # swa-lr.share_before@linear
                if t == 0:
                    lr = lr_prev  # swa-lr.rate@start
                else:
                    start = (lr_prev - before * target) / (1 - before)  # swa-lr.start
                    lr = target * share + start * (1 - share)  # swa-lr.rate@anneal
            else:
                lr = target  # swa-lr.rate@end
            rates.append(lr)
        return rates

    def _get_closed_form_lr(self) -> list[Rate]:
        """The closed form: the rate of every group at this epoch, from the first one."""
        target = self.swa_lr
        n = self.anneal_epochs
        anneal_strategy = self.anneal_strategy
        t = self.last_epoch

        rates: list[Rate] = []
        for _, base_lr, _ in self._before():
            if t < n:
                if anneal_strategy == "cos":
                    share = (1 - math.cos(math.pi * t / n)) / 2  # swa-lr.share@cos
                else:
                    share = t / n  # swa-lr.share@linear
                lr = target * share + base_lr * (1 - share)  # swa-lr.closed_form@anneal
            else:
                lr = target  # swa-lr.closed_form@end
            rates.append(lr)
        return rates
