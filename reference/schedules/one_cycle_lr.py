# GENERATED from spec/schedules/one_cycle_lr.py by
#     python -m instep.reference.generate
"""OneCycleLR: the recurrence, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

from torch.optim import Optimizer

from instep.reference.runtime import scalar_math as math
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.scheduler import Rate, Scheduler


class OneCycleLR(Scheduler):
    """OneCycleLR: the 1cycle policy.

    The dialect is one-cycle-lr/torch: torch.optim.lr_scheduler.OneCycleLR.

    Args:
        optimizer: the optimizer whose learning rates are set.
        max_lr: highest rate.
        total_steps: steps of the whole cycle.
        pct_start: share of the cycle in which the rate rises (default: 0.3).
        anneal_strategy: along half a cosine or a line (default: 'cos').
        cycle_momentum: whether momentum goes the other way (default: True).
        base_momentum: momentum at the highest rate (default: 0.85).
        max_momentum: momentum at the lowest rate (default: 0.95).
        div_factor: the highest rate by the first one (default: 25.0).
        final_div_factor: the first rate by the last one (default: 10000.0).
        three_phase: whether the rate returns to the first one before it falls further (default:
            False).
        last_epoch: epoch of the rates that the optimizer has (default: -1).

    Raises:
        ValueError: a hyperparameter lies outside its domain.
        ValueError: pct_start * total_steps must be more than 1.
        ValueError: pct_start must leave time to fall.

    References:
        Smith and Topin, Super-convergence: very fast training of neural networks using large
            learning rates, 2019, arXiv:1708.07120
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "max_lr": Interval(0, inf, "()"),
        "total_steps": Interval(2, inf, "[)", integer=True),
        "pct_start": Interval(0, 1, "(]"),
        "base_momentum": Interval(0, 1, "[)"),
        "max_momentum": Interval(0, 1, "[)"),
        "div_factor": Interval(0, inf, "()"),
        "final_div_factor": Interval(0, inf, "()"),
    }

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float,
        total_steps: int,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 10000.0,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        self.max_lr = max_lr
        self.total_steps = total_steps
        self.pct_start = pct_start
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of cos, linear, got {anneal_strategy!r}")
        self.anneal_strategy = anneal_strategy
        self.cycle_momentum = cycle_momentum
        self.base_momentum = base_momentum
        self.max_momentum = max_momentum
        self.div_factor = div_factor
        self.final_div_factor = final_div_factor
        self.three_phase = three_phase
        if not pct_start * total_steps > 1:
            raise ValueError("pct_start * total_steps must be more than 1")
        if not 2 * pct_start * total_steps < total_steps + 1:
            raise ValueError("pct_start must leave time to fall")
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        """The recurrence: the rate of every group at this epoch, from the one before."""
        high = self.max_lr
        n = self.total_steps
        share = self.pct_start
        calm = self.base_momentum
        brisk = self.max_momentum
        div = self.div_factor
        final_div = self.final_div_factor
        anneal_strategy = self.anneal_strategy
        cycle_momentum = self.cycle_momentum
        three_phase = self.three_phase
        t = self.last_epoch
        if t > n - 1:
            raise ValueError(f"there is no epoch {t} in this schedule")

        low = high / div  # one-cycle-lr.first_rate
        least = low / final_div  # one-cycle-lr.last_rate
        top = share * n - 1  # one-cycle-lr.top
        if three_phase:
            end = 2 * share * n - 2  # one-cycle-lr.end_of_fall
        if t <= top:
            x = t / top  # one-cycle-lr.progress
            a = low  # one-cycle-lr.rate_from
            z = high  # one-cycle-lr.rate_to
            if cycle_momentum:
                m_from = brisk  # one-cycle-lr.momentum_from
                m_to = calm  # one-cycle-lr.momentum_to
        elif three_phase:
            if t <= end:
                x = (t - top) / (end - top)  # one-cycle-lr.progress
                a = high  # one-cycle-lr.rate_from
                z = low  # one-cycle-lr.rate_to
                if cycle_momentum:
                    m_from = calm  # one-cycle-lr.momentum_from
                    m_to = brisk  # one-cycle-lr.momentum_to
            else:
                x = (t - end) / (n - 1 - end)  # one-cycle-lr.progress
                a = low  # one-cycle-lr.rate_from
                z = least  # one-cycle-lr.rate_to
                if cycle_momentum:
                    m_from = brisk  # one-cycle-lr.momentum_from
                    m_to = brisk  # one-cycle-lr.momentum_to
        else:
            x = (t - top) / (n - 1 - top)  # one-cycle-lr.progress
            a = high  # one-cycle-lr.rate_from
            z = least  # one-cycle-lr.rate_to
            if cycle_momentum:
                m_from = calm  # one-cycle-lr.momentum_from
                m_to = brisk  # one-cycle-lr.momentum_to
        rates: list[Rate] = []
        for number, _, _ in self._before():
            if anneal_strategy == "cos":
                lr = z + (a - z) * (1 + math.cos(math.pi * x)) / 2  # one-cycle-lr.rate@cos
            else:
                lr = a + (z - a) * x  # one-cycle-lr.rate@linear
            if cycle_momentum:
                if anneal_strategy == "cos":
                    # one-cycle-lr.momentum@cos
                    momentum = m_to + (m_from - m_to) * (1 + math.cos(math.pi * x)) / 2
                else:
                    momentum = m_from + (m_to - m_from) * x  # one-cycle-lr.momentum@linear
            rates.append(lr)
            if cycle_momentum:
                self._set_momentum(number, momentum)
        return rates
