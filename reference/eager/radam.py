# GENERATED from spec/algorithms/radam.py (dialect radam/torch) by
#     python -m instep.reference.generate
"""RAdam, the eager reference: one tensor at a time, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime import scalar_math as math
from instep.reference.runtime.eager import EagerOptimizer
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.work import Group, Layout, State


class RAdam(EagerOptimizer):
    """RAdam: rectified Adam.

    The dialect is radam/torch: torch.optim.RAdam. Rectified above a length of 5; eps is added
    before the root is corrected.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        betas: decay rates of the two moments, each in [0,1) (default: (0.9, 0.999)).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-08).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        decoupled_weight_decay: how weight decays (default: False).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Liu et al., On the variance of the adaptive learning rate and beyond, ICLR 2020, algorithm
            2, arXiv:1908.03265
        Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019, algorithm 2,
            arXiv:1711.05101
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "eps": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {"decoupled_weight_decay": False, "maximize": False}
    _layout = Layout(numbers=frozenset({"step"}), counter="step")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float | Tensor = 1e-08,
        weight_decay: float | Tensor = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
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
        decoupled_weight_decay = group["decoupled_weight_decay"]
        maximize = group["maximize"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # radam.gradient@yes
        else:
            g = grad  # radam.gradient@no
        if not decoupled_weight_decay and weight_decay != 0:
            g = g + weight_decay * theta  # radam.l2
        if decoupled_weight_decay:
            theta = theta - lr * weight_decay * theta  # radam.decay
        m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * g  # radam.first_moment
        v = state["exp_avg_sq"] = beta2 * v_prev + (1 - beta2) * g**2  # radam.second_moment
        m_hat = m / (1 - beta1**t)  # radam.first_correction
        rho_inf = 2 / (1 - beta2) - 1  # radam.longest_average
        rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)  # radam.average_length
        rho_min = 5  # radam.threshold@five
        if rho > rho_min:
            # radam.rectification
            r = math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
            d = (torch.sqrt(v) + eps) / math.sqrt(1 - beta2**t)  # radam.denominator@hat
            theta = theta - lr * r * m_hat / d  # radam.update
        else:
            theta = theta - lr * m_hat  # radam.update@unrectified
        return theta
