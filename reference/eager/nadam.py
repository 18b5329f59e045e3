# GENERATED from spec/algorithms/nadam.py (dialect nadam/torch) by
#     python -m instep.reference.generate
"""NAdam, the eager reference: one tensor at a time, one equation a line."""

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


class NAdam(EagerOptimizer):
    """NAdam: Adam with Nesterov momentum.

    The dialect is nadam/torch: torch.optim.NAdam. The momentum starts near half of beta1 and grows
    to it.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.002).
        betas: decay rates of the two moments, each in [0,1) (default: (0.9, 0.999)).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-08).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        momentum_decay: how fast the momentum grows to beta1, in [0,inf) (default: 0.004).
        decoupled_weight_decay: how weight decays (default: False).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Dozat, Incorporating Nesterov momentum into Adam, ICLR 2016 workshop, algorithm 2,
            https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ
        Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019, algorithm 2,
            arXiv:1711.05101
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "eps": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
        "momentum_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {"decoupled_weight_decay": False, "maximize": False}
    _layout = Layout(numbers=frozenset({"step", "mu_product"}), counter="step")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.002,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float | Tensor = 1e-08,
        weight_decay: float | Tensor = 0.0,
        momentum_decay: float | Tensor = 0.004,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
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
        state.setdefault("mu_product", 1)

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        psi = group["momentum_decay"]
        decoupled_weight_decay = group["decoupled_weight_decay"]
        maximize = group["maximize"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        product_prev = state["mu_product"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # nadam.gradient@yes
        else:
            g = grad  # nadam.gradient@no
        if not decoupled_weight_decay and weight_decay != 0:
            g = g + weight_decay * theta  # nadam.l2
        if decoupled_weight_decay:
            theta = theta - lr * weight_decay * theta  # nadam.decay
        m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * g  # nadam.first_moment
        v = state["exp_avg_sq"] = beta2 * v_prev + (1 - beta2) * g**2  # nadam.second_moment
        mu = beta1 * (1 - 0.5 * 0.96 ** (t * psi))  # nadam.momentum
        mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))  # nadam.next_momentum
        product = state["mu_product"] = product_prev * mu  # nadam.momentum_product
        # nadam.first_correction
        m_hat = mu_next * m / (1 - product * mu_next) + (1 - mu) * g / (1 - product)
        v_hat = v / (1 - beta2**t)  # nadam.second_correction
        d = torch.sqrt(v_hat) + eps  # nadam.denominator
        theta = theta - lr * m_hat / d  # nadam.update
        return theta
