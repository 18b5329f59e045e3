# GENERATED from spec/algorithms/lion.py (dialect lion/paper) by
#     python -m instep.reference.generate
"""Lion, the eager reference: one tensor at a time, one equation a line."""

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


class Lion(EagerOptimizer):
    """Lion: evolved sign momentum.

    The dialect is lion/paper: arXiv:2302.06675, algorithm 2. Weights decay by lr times
    weight_decay: before the update or inside of it, which is the same.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.0001).
        betas: weight of the momentum in the vote, and its decay rate, each in [0,1) (default: (0.9,
            0.99)).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Chen et al., Symbolic discovery of optimization algorithms, NeurIPS 2023, algorithm 2,
            arXiv:2302.06675
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {"maximize": False}

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.0001,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.99),
        weight_decay: float | Tensor = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        if "exp_avg" not in state:
            state["exp_avg"] = torch.zeros_like(theta)

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m_prev = state["exp_avg"]

        if maximize:
            g = -grad  # lion.gradient@yes
        else:
            g = grad  # lion.gradient@no
        theta = theta - lr * weight_decay * theta  # lion.decay@decoupled
        c = beta1 * m_prev + (1 - beta1) * g  # lion.direction
        m = state["exp_avg"] = beta2 * m_prev + (1 - beta2) * g  # lion.momentum
        theta = theta - lr * torch.sign(c)  # lion.update
        return theta
