# GENERATED from spec/algorithms/lamb.py (dialect lamb/paper) by
#     python -m instep.reference.generate
"""LAMB, the eager reference: one tensor at a time, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime.eager import EagerOptimizer
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.work import Group, Layout, State


class LAMB(EagerOptimizer):
    """LAMB: layerwise adaptive moments for large batches.

    The dialect is lamb/paper: arXiv:1904.00962, algorithm 2. The ratio is taken of the corrected
    direction with the decay in it; a norm of zero makes it one.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        betas: decay rates of the two moments, each in [0,1) (default: (0.9, 0.999)).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-06).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        You et al., Large batch optimization for deep learning: training BERT in 76 minutes, ICLR
            2020, algorithm 2, arXiv:1904.00962
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "eps": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {"maximize": False}
    _layout = Layout(numbers=frozenset({"step"}), counter="step")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float | Tensor = 1e-06,
        weight_decay: float | Tensor = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        state.setdefault("step", 0.0)
        if "exp_avg" not in state:
            state["exp_avg"] = torch.zeros_like(theta)
        if "exp_avg_sq" not in state:
            state["exp_avg_sq"] = torch.zeros_like(theta)

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # lamb.gradient@yes
        else:
            g = grad  # lamb.gradient@no
        m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * g  # lamb.first_moment
        v = state["exp_avg_sq"] = beta2 * v_prev + (1 - beta2) * g**2  # lamb.second_moment
        m_hat = m / (1 - beta1**t)  # lamb.first_correction@inside
        v_hat = v / (1 - beta2**t)  # lamb.second_correction@inside
        r = m_hat / (torch.sqrt(v_hat) + eps) + weight_decay * theta  # lamb.direction@inside
        weight_norm = torch.sqrt((theta**2).sum())  # lamb.weight_norm@plain
        direction_norm = torch.sqrt((r**2).sum())  # lamb.direction_norm
        # lamb.trust_ratio@no
        trust_ratio = torch.where(
            (weight_norm > 0) & (direction_norm > 0), weight_norm / direction_norm, 1
        )
        r = trust_ratio * r  # lamb.scaled_direction
        step_size = lr  # lamb.step_size
        theta = theta - step_size * r  # lamb.update
        return theta
