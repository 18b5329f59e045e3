# GENERATED from spec/schedules/reduce_lr_on_plateau.py by
#     python -m instep.reference.generate
"""ReduceLROnPlateau: the recurrence, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

from torch.optim import Optimizer

from instep.reference.runtime import scalar_math as math
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.scheduler import MetricScheduler, Rate


class ReduceLROnPlateau(MetricScheduler):
    """ReduceLROnPlateau: less when a metric stalls.

    The dialect is reduce-lr-on-plateau/torch: torch.optim.lr_scheduler.ReduceLROnPlateau.

    Args:
        optimizer: the optimizer whose learning rates are set.
        mode: whether less is better (default: 'min').
        factor: factor of a reduction (default: 0.1).
        patience: bad epochs that are borne before a reduction (default: 10).
        threshold: by how much a metric must be better than the best one (default: 0.0001).
        threshold_mode: whether the threshold is a share of the best metric (default: 'rel').
        cooldown: epochs after a reduction in which bad ones do not count (default: 0).
        min_lr: lowest rate (default: 0.0).
        eps: a reduction by no more than this is not made (default: 1e-08).

    Raises:
        ValueError: a hyperparameter lies outside its domain.
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "factor": Interval(-inf, 1, "()"),
        "patience": Interval(0, inf, "[)", integer=True),
        "threshold": Interval(0, inf, "[)"),
        "cooldown": Interval(0, inf, "[)", integer=True),
        "min_lr": Interval(0, inf, "[)"),
        "eps": Interval(0, inf, "[)"),
    }

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 0.0001,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-08,
    ) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f"mode must be one of min, max, got {mode!r}")
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold_mode must be one of rel, abs, got {threshold_mode!r}")
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.eps = eps
        self.best = inf
        self.num_bad_epochs = 0
        self.cooldown_counter = 0
        super().__init__(optimizer)

    def get_lr(self) -> list[Rate]:
        """The recurrence: the rate of every group at this epoch, from the one before."""
        factor = self.factor
        patience = self.patience
        threshold = self.threshold
        cooldown = self.cooldown
        least = self.min_lr
        eps = self.eps
        mode = self.mode
        threshold_mode = self.threshold_mode
        metrics = self.metrics
        best_prev = self.best
        bad_prev = self.num_bad_epochs
        rest_prev = self.cooldown_counter
        t = self.last_epoch

        if t == 0:
            if mode == "min":
                best = inf  # reduce-lr-on-plateau.best@min
            else:
                best = -inf  # reduce-lr-on-plateau.best@max
            bad = 0  # reduce-lr-on-plateau.bad_epochs@start
            rest = 0  # reduce-lr-on-plateau.cooldown@start
            due = 0  # reduce-lr-on-plateau.due@start
        else:
            if threshold_mode == "rel":
                if mode == "min":
                    bar = best_prev * (1 - threshold)  # reduce-lr-on-plateau.bar@min-rel
                else:
                    bar = best_prev * (1 + threshold)  # reduce-lr-on-plateau.bar@max-rel
            elif mode == "min":
                bar = best_prev - threshold  # reduce-lr-on-plateau.bar@min-abs
            else:
                bar = best_prev + threshold  # reduce-lr-on-plateau.bar@max-abs
            if mode == "min":
                better = math.where(metrics < bar, 1, 0)  # reduce-lr-on-plateau.better@min
            else:
                better = math.where(metrics > bar, 1, 0)  # reduce-lr-on-plateau.better@max
            best = math.where(better > 0, metrics, best_prev)  # reduce-lr-on-plateau.best@better
            bad = math.where(better > 0, 0, bad_prev + 1)  # reduce-lr-on-plateau.bad_epochs@count
            rest = rest_prev  # reduce-lr-on-plateau.cooldown@keep
            if rest_prev > 0:
                rest = rest_prev - 1  # reduce-lr-on-plateau.cooldown@pass
                bad = 0  # reduce-lr-on-plateau.bad_epochs@cooldown
            due = math.where(bad > patience, 1, 0)  # reduce-lr-on-plateau.due@patience
            if due > 0:
                rest = cooldown  # reduce-lr-on-plateau.cooldown@begin
                bad = 0  # reduce-lr-on-plateau.bad_epochs@reduced
        self.best = best
        self.num_bad_epochs = bad
        self.cooldown_counter = rest
        rates: list[Rate] = []
        for _, _, lr_prev in self._before():
            new = math.maximum(factor * lr_prev, least)  # reduce-lr-on-plateau.reduced
            lr = math.where((lr_prev - new) * due > eps, new, lr_prev)  # reduce-lr-on-plateau.rate
            rates.append(lr)
        return rates
