# GENERATED from spec/transforms/lookahead.py and spec/algorithms/radam.py (dialect ranger/radam) by
#     python -m instep.reference.generate
"""Ranger, the eager reference: one tensor at a time, one equation a line."""

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
from instep.reference.runtime.views import EvaluationPoint
from instep.reference.runtime.work import Group, Layout, State


class Ranger(EvaluationPoint, EagerOptimizer):
    """Lookahead: k steps forward, 1 step back; around RAdam: rectified Adam.

    The dialect is ranger/radam: lessw2020/Ranger-Deep-Learning-Optimizer, its first version.
    Lookahead around RAdam with decoupled decay.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        betas: decay rates of the two moments, each in [0,1) (default: (0.95, 0.999)).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-05).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        k: steps between two synchronisations, an integer in [1,inf) (default: 6).
        alpha: how far the slow weights follow the fast ones, in [0,1] (default: 0.5).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Zhang, Lucas, Hinton and Ba, Lookahead optimizer: k steps forward, 1 step back, NeurIPS
            2019, algorithm 1, arXiv:1907.08610
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
        "k": Interval(1, inf, "[)", integer=True),
        "alpha": Interval(0, 1, "[]"),
    }
    _pinned: ClassVar[Mapping[str, object]] = {"decoupled_weight_decay": True}
    _older: ClassVar[Mapping[str, object]] = {"maximize": False}
    _layout = Layout(numbers=frozenset({"step"}), counter="step")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        betas: tuple[float | Tensor, float | Tensor] = (0.95, 0.999),
        eps: float | Tensor = 1e-05,
        weight_decay: float | Tensor = 0.0,
        k: int = 6,
        alpha: float | Tensor = 0.5,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "k": k,
            "alpha": alpha,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        state.setdefault("step", 0.0)
        if "slow_buffer" not in state:
            state["slow_buffer"] = theta.clone()
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
        k = group["k"]
        alpha = group["alpha"]
        maximize = group["maximize"]
        slow_prev = state["slow_buffer"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # ranger.radam.gradient@yes
        else:
            g = grad  # ranger.radam.gradient@no
        theta = theta - lr * weight_decay * theta  # ranger.radam.decay
        m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * g  # ranger.radam.first_moment
        v = state["exp_avg_sq"] = beta2 * v_prev + (1 - beta2) * g**2  # ranger.radam.second_moment
        m_hat = m / (1 - beta1**t)  # ranger.radam.first_correction
        rho_inf = 2 / (1 - beta2) - 1  # ranger.radam.longest_average
        rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)  # ranger.radam.average_length
        rho_min = 5  # ranger.radam.threshold@five
        if rho > rho_min:
            # ranger.radam.rectification
            r = math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
            d = (torch.sqrt(v) + eps) / math.sqrt(1 - beta2**t)  # ranger.radam.denominator@hat
            theta = theta - lr * r * m_hat / d  # ranger.radam.update
        else:
            theta = theta - lr * m_hat  # ranger.radam.update@unrectified
        if t % k == 0:
            # ranger.slow_weights
            slow = state["slow_buffer"] = slow_prev + alpha * (theta - slow_prev)
            theta = slow  # ranger.synchronise
        return theta

    def _view_eval(self, theta: Tensor, state: State, group: Group) -> Tensor:
        """The slow weights, which are to be evaluated."""
        slow: Tensor = state["slow_buffer"]
        return slow
