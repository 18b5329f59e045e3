# GENERATED from spec/ by
#     python -m instep.reference.generate
"""Learning-rate schedulers: the recurrence, and the closed form where there is one."""

from __future__ import annotations

from instep.reference.schedules.constant_lr import ConstantLR
from instep.reference.schedules.cosine_annealing_lr import CosineAnnealingLR
from instep.reference.schedules.cosine_annealing_warm_restarts import CosineAnnealingWarmRestarts
from instep.reference.schedules.exponential_lr import ExponentialLR
from instep.reference.schedules.lambda_lr import LambdaLR
from instep.reference.schedules.linear_lr import LinearLR
from instep.reference.schedules.multi_step_lr import MultiStepLR
from instep.reference.schedules.multiplicative_lr import MultiplicativeLR
from instep.reference.schedules.one_cycle_lr import OneCycleLR
from instep.reference.schedules.polynomial_lr import PolynomialLR
from instep.reference.schedules.reduce_lr_on_plateau import ReduceLROnPlateau
from instep.reference.schedules.step_lr import StepLR
from instep.reference.schedules.swa_lr import SWALR

__all__ = [
    "SWALR",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "StepLR",
]
