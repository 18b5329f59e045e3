# GENERATED from spec/algorithms/signsgd.py (dialect signum/paper) by
#     python -m instep.reference.generate
"""Signum, the eager reference: one tensor at a time, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime.eager import EagerOptimizer
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.work import Group, State


class Signum(EagerOptimizer):
    """signSGD: the sign of the gradient, or of its momentum.

    The dialect is signum/paper: arXiv:1802.04434, algorithm 2. The momentum is an average of
    gradients that starts at 0.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        momentum: momentum factor, in [0,1) (default: 0.9).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Bernstein et al., signSGD: compressed optimisation for non-convex problems, ICML 2018,
            algorithms 1 and 2, arXiv:1802.04434
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "momentum": Interval(0, 1, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {"maximize": False}

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        momentum: float | Tensor = 0.9,
        weight_decay: float | Tensor = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(theta)

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        momentum = group["momentum"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m_prev = state["momentum_buffer"]

        if maximize:
            g = -grad  # signum.gradient@yes
        else:
            g = grad  # signum.gradient@no
        theta = theta - lr * weight_decay * theta  # signum.decay
        m = state["momentum_buffer"] = momentum * m_prev + (1 - momentum) * g  # signum.momentum@ema
        d = m  # signum.direction@momentum
        theta = theta - lr * torch.sign(d)  # signum.update
        return theta
