"""Correct schedulers in unusual style: none of them may fail a check that must pass."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch.optim import lr_scheduler


class Plain:
    """StepLR without torch's base class: repeated multiplication, no readout."""

    def __init__(self, optimizer, step_size, gamma=0.1):
        self.groups, self.size, self.gamma, self.epoch = optimizer.param_groups, step_size, gamma, 0

    def step(self):
        self.epoch += 1
        if not self.epoch % self.size:
            for group in self.groups:
                lr = group["lr"]
                group["lr"] = (
                    lr.mul_(self.gamma) if isinstance(lr, torch.Tensor) else lr * self.gamma
                )


def step_by_lambda(optimizer, step_size, gamma=0.1, last_epoch=-1):
    """StepLR as a function that returns a LambdaLR."""
    return lr_scheduler.LambdaLR(
        optimizer, lambda epoch: math.exp((epoch // step_size) * math.log(gamma)) if gamma > 0
        else (gamma ** (epoch // step_size)), last_epoch,
    )  # fmt: skip


def exponential_by_steps(optimizer, gamma, last_epoch=-1):
    """ExponentialLR as StepLR of period one."""
    return lr_scheduler.StepLR(optimizer, 1, gamma, last_epoch)


def multi_step_sorted(optimizer, milestones, gamma=0.1):
    """MultiStepLR as a chain of constant products."""
    return lr_scheduler.LambdaLR(
        optimizer, lambda epoch: math.prod(gamma for m in sorted(milestones) if m <= epoch)
    )


def linear_by_lambda(optimizer, start_factor=1 / 3, end_factor=1.0, total_iters=5):
    """LinearLR as a weighted mean of both ends."""

    def factor(epoch):
        share = min(epoch, total_iters) / total_iters
        return (1 - share) * start_factor + share * end_factor

    return lr_scheduler.LambdaLR(optimizer, factor)


def cosine_by_sine(optimizer, T_max, eta_min=0.0):
    """CosineAnnealingLR by a squared cosine of half the angle."""

    class Squared(lr_scheduler.LRScheduler):
        def get_lr(self):
            half = math.cos(math.pi * self.last_epoch / T_max / 2) ** 2
            return [eta_min + (lr - eta_min) * half for lr in self.base_lrs]

    return Squared(optimizer)


CORRECT = (
    (Plain, "step-lr"),
    (step_by_lambda, "step-lr"),
    (exponential_by_steps, "exponential-lr"),
    (multi_step_sorted, "multi-step-lr"),
    (linear_by_lambda, "linear-lr"),
    (cosine_by_sine, "cosine-annealing-lr"),
    (partial(lr_scheduler.PolynomialLR, power=2.0), "polynomial-lr"),
)
