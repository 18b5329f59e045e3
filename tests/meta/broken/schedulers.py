"""Schedulers that are broken on purpose: each fails the check that is named with it."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch.optim import lr_scheduler
from torch.optim.lr_scheduler import LRScheduler

from instep.reference import schedules


@dataclass(frozen=True)
class Bug:
    """A broken scheduler, its specification, the check that it fails, and what it is named."""

    subject: Any
    spec: str
    check: str
    diagnosis: str | None = None


class Step(LRScheduler):
    """StepLR as torch has it; what is broken is overridden."""

    def __init__(self, optimizer, step_size, gamma=0.1, last_epoch=-1):
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        return [self.rate(group["lr"]) for group in self.optimizer.param_groups]

    def rate(self, lr):
        t = self.last_epoch
        return lr * self.gamma if t > 0 and t % self.step_size == 0 else lr


class PeriodOffByOne(Step):
    def rate(self, lr):
        t = self.last_epoch
        return lr * self.gamma if t > 0 and t % (self.step_size + 1) == 0 else lr


class OneEpochEarly(Step):
    def rate(self, lr):
        return lr * self.gamma if (self.last_epoch + 1) % self.step_size == 0 else lr


class DecaysAtOnce(Step):
    def rate(self, lr):
        return lr * self.gamma if self.last_epoch % self.step_size == 0 else lr


class Compounding(Step):
    """The closed form's factor on the present rate instead of the first one."""

    def rate(self, lr):
        return lr * self.gamma ** (self.last_epoch // self.step_size)


class FirstGroupForAll(Step):
    def get_lr(self):
        rates = super().get_lr()
        return [rates[0]] * len(rates)


class SinglePrecision(Step):
    def rate(self, lr):
        return float(torch.tensor(super().rate(lr) * 0.9999999 + 1e-9, dtype=torch.float32))


class WrongClosedForm(Step):
    def _get_closed_form_lr(self):
        return [lr * self.gamma**self.last_epoch for lr in self.base_lrs]


class ForgetsItsState(Step):
    def load_state_dict(self, state_dict):
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "last_epoch"})


class SharesItsCount(Step):
    """The epoch is kept in the class."""

    epoch = 0

    def get_lr(self):
        type(self).epoch = 0 if self._is_initial else type(self).epoch + 1
        due = type(self).epoch > 0 and type(self).epoch % self.step_size == 0
        return [g["lr"] * (self.gamma if due else 1) for g in self.optimizer.param_groups]


class TouchesDecay(Step):
    def get_lr(self):
        for group in self.optimizer.param_groups:
            group["weight_decay"] = 0.0
        return super().get_lr()


class MakesSteps(Step):
    def step(self, *arguments):
        super().step(*arguments)
        self.optimizer.step()


class StaleReadout(Step):
    def get_last_lr(self):
        return list(self.base_lrs)


class ReplacesTensors(Step):
    def step(self, *arguments):
        super().step(*arguments)
        for group in self.optimizer.param_groups:
            group["lr"] = group["lr"] + 0.0


class AcceptsAnything(Step):
    def __init__(self, optimizer, step_size, gamma=0.1, last_epoch=-1):
        if isinstance(optimizer, torch.optim.Optimizer):
            super().__init__(optimizer, step_size, gamma, last_epoch)


class KeepsTheOptimizer(Step):
    def state_dict(self):
        return dict(self.__dict__)


class CountsFromOne(Step):
    def step(self, *arguments):
        super().step(*arguments)
        self.last_epoch += 1

    def rate(self, lr):
        return lr


class WithoutFloor(LRScheduler):
    """A cosine that falls to zero, whatever eta_min says."""

    def __init__(self, optimizer, T_max, eta_min=0.0, last_epoch=-1):
        self.T_max = T_max
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        angle = math.pi * self.last_epoch / self.T_max
        return [lr * (1 + math.cos(angle)) / 2 for lr in self.base_lrs]


class NoClamp(lr_scheduler.ReduceLROnPlateau):
    def _reduce_lr(self, epoch):
        for group in self.optimizer.param_groups:
            new = group["lr"] * self.factor
            if group["lr"] - new > self.eps:
                group["lr"] = new


class EqualIsBetter(lr_scheduler.ReduceLROnPlateau):
    def _is_better(self, a, best):
        return super()._is_better(a, best) or (a == best and math.isfinite(a))


class AlwaysMin(lr_scheduler.ReduceLROnPlateau):
    def __init__(self, optimizer, mode="min", **keywords):
        super().__init__(optimizer, "min", **keywords)


class NoCooldown(lr_scheduler.ReduceLROnPlateau):
    in_cooldown = False


class FrozenMomentum(lr_scheduler.OneCycleLR):
    def get_lr(self):
        kept = [g["momentum"] for g in self.optimizer.param_groups if "momentum" in g]
        rates = super().get_lr()
        for group, momentum in zip(self.optimizer.param_groups, kept, strict=False):
            group["momentum"] = momentum
        return rates


class AnotherFirstRate(Step):
    """What it remembers as the first rate is the one after construction, times a factor."""

    def __init__(self, optimizer, step_size, gamma=0.1, last_epoch=-1):
        super().__init__(optimizer, step_size, gamma, last_epoch)
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"] * gamma


class StartsAnew(Step):
    """Resumed at an epoch, it counts from the beginning."""

    def __init__(self, optimizer, step_size, gamma=0.1, last_epoch=-1):
        super().__init__(optimizer, step_size, gamma, last_epoch)
        self.last_epoch = 0


class GroupsFromTheEnd(Step):
    """Rates are in the order of the groups, until there are more of them."""

    def get_lr(self):
        rates = super().get_lr()
        return rates if len(rates) == len(self.base_lrs) else rates[::-1]


class IgnoresTheEpoch(lr_scheduler.StepLR):
    def step(self, epoch=None):
        super().step()


class AnySize(schedules.StepLR):
    _domains: ClassVar = {}


class HeldByItsOptimizer(Step):
    """A cycle of references: each holds the other."""

    def __init__(self, optimizer, step_size, gamma=0.1, last_epoch=-1):
        super().__init__(optimizer, step_size, gamma, last_epoch)
        optimizer.scheduler = self


class WarnsOfItself(Step):
    def step(self, *arguments):
        if not self._is_initial:
            warnings.warn("this scheduler is deprecated", FutureWarning, stacklevel=2)
        super().step(*arguments)


class SaysNothing(Step):
    def step(self, *arguments):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            super().step(*arguments)


class MissesNothing(Step):
    """A size of its own where none is given."""

    def __init__(self, optimizer, step_size=None, gamma=0.1, last_epoch=-1):
        super().__init__(optimizer, 30 if step_size is None else step_size, gamma, last_epoch)


class WithoutMomentum(lr_scheduler.OneCycleLR):
    """Cycles the rate alone where there is no momentum, and does not say so."""

    def __init__(self, optimizer, max_lr, total_steps, cycle_momentum=True, **keywords):
        has_one = {"momentum", "betas"} & set(getattr(optimizer, "defaults", ()))
        cycle = cycle_momentum and bool(has_one)
        super().__init__(optimizer, max_lr, total_steps, cycle_momentum=cycle, **keywords)


class StartsFromThePresentRate(lr_scheduler.LambdaLR):
    """Where the first rate is not known it takes that of the epoch."""

    def __init__(self, optimizer, lr_lambda, last_epoch=-1):
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        super().__init__(optimizer, lr_lambda, last_epoch)


class TakesNumbers(lr_scheduler.LambdaLR):
    def __init__(self, optimizer, lr_lambda, last_epoch=-1):
        function = lr_lambda if callable(lr_lambda) else lambda _: lr_lambda
        super().__init__(optimizer, function, last_epoch)


class LooksTooLate(lr_scheduler.LinearLR):
    """Refuses, but only after it has set the first rates."""

    def __init__(self, optimizer, start_factor=1 / 3, end_factor=1.0, total_iters=5, last_epoch=-1):
        super().__init__(optimizer, start_factor, end_factor, total_iters, last_epoch)
        if total_iters < 1:
            raise ValueError("total_iters must be positive")


class AnyWord(lr_scheduler.ReduceLROnPlateau):
    """Everything but max is min."""

    def __init__(
        self, optimizer, mode="min", factor=0.1, patience=10, threshold=1e-4,
        threshold_mode="rel", cooldown=0, min_lr=0, eps=1e-8,
    ):  # fmt: skip
        mode = "max" if mode == "max" else "min"
        super().__init__(
            optimizer, mode, factor, patience, threshold, threshold_mode, cooldown, min_lr, eps
        )


BUGS = (
    Bug(PeriodOffByOne, "step-lr", "numerics/dyadic", "rate: n one more"),
    Bug(OneEpochEarly, "step-lr", "numerics/dyadic", "rate: step counter one ahead"),
    Bug(DecaysAtOnce, "step-lr", "numerics/dyadic", "rate: first condition missing"),
    Bug(Compounding, "step-lr", "numerics/dyadic"),
    Bug(FirstGroupForAll, "step-lr", "numerics/dyadic"),
    Bug(SinglePrecision, "step-lr", "numerics/dyadic"),
    Bug(WrongClosedForm, "step-lr", "forms/closed-form"),
    Bug(ForgetsItsState, "step-lr", "state/resumed"),
    Bug(SharesItsCount, "step-lr", "state/deterministic"),
    Bug(TouchesDecay, "step-lr", "groups/entries"),
    Bug(MakesSteps, "step-lr", "groups/parameters"),
    Bug(StaleReadout, "step-lr", "readout/get-last-lr"),
    Bug(ReplacesTensors, "step-lr", "groups/tensor-lr"),
    Bug(AcceptsAnything, "step-lr", "errors/optimizer"),
    Bug(KeepsTheOptimizer, "step-lr", "state/no-optimizer"),
    Bug(CountsFromOne, "step-lr", "construction/epoch"),
    Bug(WithoutFloor, "cosine-annealing-lr", "numerics/dyadic"),
    Bug(NoClamp, "reduce-lr-on-plateau", "numerics/dyadic"),
    Bug(EqualIsBetter, "reduce-lr-on-plateau", "metrics/walk-0"),
    Bug(AlwaysMin, "reduce-lr-on-plateau", "options/mode.max"),
    Bug(NoCooldown, "reduce-lr-on-plateau", "numerics/dyadic"),
    Bug(FrozenMomentum, "one-cycle-lr", "numerics/dyadic"),
    Bug(AnotherFirstRate, "step-lr", "construction/initial-lr"),
    Bug(StartsAnew, "step-lr", "construction/last-epoch"),
    Bug(GroupsFromTheEnd, "step-lr", "groups/added"),
    Bug(IgnoresTheEpoch, "step-lr", "forms/epoch"),
    Bug(AnySize, "step-lr", "errors/domain"),
    Bug(HeldByItsOptimizer, "step-lr", "memory/released"),
    Bug(WarnsOfItself, "step-lr", "warnings/right-order"),
    Bug(SaysNothing, "step-lr", "warnings/wrong-order"),
    Bug(MissesNothing, "step-lr", "errors/missing"),
    Bug(WithoutMomentum, "one-cycle-lr", "errors/momentum"),
    Bug(StartsFromThePresentRate, "lambda-lr", "errors/initial-lr"),
    Bug(TakesNumbers, "lambda-lr", "errors/function"),
    Bug(LooksTooLate, "linear-lr", "errors/unchanged"),
    Bug(AnyWord, "reduce-lr-on-plateau", "errors/word"),
)
# What else they fail, their base class does too.
ALONE = tuple(b for b in BUGS if b.check.partition("/")[0] in ("memory", "warnings", "errors"))
