# GENERATED from spec/schedules/cosine_annealing_warm_restarts.py by
#     python -m instep.reference.generate
"""CosineAnnealingWarmRestarts: the recurrence and the closed form, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

from torch.optim import Optimizer

from instep.reference.runtime import scalar_math as math
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.scheduler import Rate, Scheduler


class CosineAnnealingWarmRestarts(Scheduler):
    """Cosine annealing with warm restarts.

    The dialect is cosine-annealing-warm-restarts/torch:
    torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.

    Args:
        optimizer: the optimizer whose learning rates are set.
        T_0: epochs of the first round.
        T_mult: how many times longer each round is than the one before (default: 1).
        eta_min: lowest rate (default: 0.0).
        last_epoch: epoch of the rates that the optimizer has (default: -1).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017,
            arXiv:1608.03983
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "T_0": Interval(1, inf, "[)", integer=True),
        "T_mult": Interval(1, inf, "[)", integer=True),
        "eta_min": Interval(-inf, inf, "()"),
    }

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        self.T_0 = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur = 0
        self.T_i = T_0
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        """The recurrence: the rate of every group at this epoch, from the one before."""
        n = self.T_0
        growth = self.T_mult
        low = self.eta_min
        now_prev = self.T_cur
        length_prev = self.T_i
        t = self.last_epoch

        if t == 0:
            now = 0  # cosine-annealing-warm-restarts.since_restart
            length = n  # cosine-annealing-warm-restarts.length_of_round
        elif now_prev + 1 < length_prev:
            now = now_prev + 1  # cosine-annealing-warm-restarts.since_restart
            length = length_prev  # cosine-annealing-warm-restarts.length_of_round
        else:
            now = 0  # cosine-annealing-warm-restarts.since_restart
            length = growth * length_prev  # cosine-annealing-warm-restarts.length_of_round
        self.T_cur = now
        self.T_i = length
        rates: list[Rate] = []
        for _, base_lr, _ in self._before():
            # cosine-annealing-warm-restarts.rate
            lr = low + (base_lr - low) * (1 + math.cos(math.pi * now / length)) / 2
            rates.append(lr)
        return rates

    def _get_closed_form_lr(self) -> list[Rate]:
        """The closed form: the rate of every group at this epoch, from the first one."""
        n = self.T_0
        growth = self.T_mult
        low = self.eta_min
        t = self.last_epoch

        if growth == 1:
            rounds = math.floor(t / n)  # cosine-annealing-warm-restarts.rounds
            now = t - n * rounds  # cosine-annealing-warm-restarts.since_restart
        else:
            # cosine-annealing-warm-restarts.rounds
            rounds = math.floor(math.log((t + 0.5) * (growth - 1) / n + 1) / math.log(growth))
            # cosine-annealing-warm-restarts.since_restart
            now = t - n * (growth**rounds - 1) / (growth - 1)
        length = n * growth**rounds  # cosine-annealing-warm-restarts.length_of_round
        self.T_cur = now
        self.T_i = length
        rates: list[Rate] = []
        for _, base_lr, _ in self._before():
            # cosine-annealing-warm-restarts.closed_form
            lr = low + (base_lr - low) * (1 + math.cos(math.pi * now / length)) / 2
            rates.append(lr)
        return rates
