# GENERATED from spec/algorithms/adan.py (dialect adan/release) by
#     python -m instep.reference.generate
"""Adan, the eager reference: one tensor at a time, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime.eager import EagerOptimizer
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.work import Group, Layout, State


class Adan(EagerOptimizer):
    """Adan: adaptive Nesterov momentum.

    The dialect is adan/release: the authors' release. Betas are what is kept of an average, 1 minus
    those of the paper, and all three averages are corrected for their bias. The updated parameter
    is divided by 1 + lr * weight_decay.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        betas: decay rates of the averages of gradients, differences and squares, each in [0,1)
            (default: (0.98, 0.92, 0.99)).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-08).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        no_prox: decay before the update, not by dividing its result (default: False).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Xie et al., Adan: adaptive Nesterov momentum algorithm for faster optimizing deep models,
            2022, algorithm 1, arXiv:2208.06677
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "eps": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {"no_prox": False, "maximize": False}
    _layout = Layout(numbers=frozenset({"step"}), counter="step", late=frozenset({"previous_grad"}))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        betas: tuple[float | Tensor, float | Tensor, float | Tensor] = (0.98, 0.92, 0.99),
        eps: float | Tensor = 1e-08,
        weight_decay: float | Tensor = 0.0,
        no_prox: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "no_prox": no_prox,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        state.setdefault("step", 0.0)
        if "exp_avg" not in state:
            state["exp_avg"] = torch.zeros_like(theta)
        if "exp_avg_diff" not in state:
            state["exp_avg_diff"] = torch.zeros_like(theta)
        if "exp_avg_sq" not in state:
            state["exp_avg_sq"] = torch.zeros_like(theta)

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2, beta3 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        no_prox = group["no_prox"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_diff"]
        n_prev = state["exp_avg_sq"]
        last_prev: Any = state.get("previous_grad")
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # adan.gradient@yes
        else:
            g = grad  # adan.gradient@no
        if no_prox:
            theta = theta - lr * weight_decay * theta  # adan.decay@decoupled
        if last_prev is None:
            difference = 0 * g  # adan.difference@first
        else:
            difference = g - last_prev  # adan.difference
        # adan.average_difference
        v = state["exp_avg_diff"] = beta2 * v_prev + (1 - beta2) * difference
        y = g + beta2 * difference  # adan.look_ahead
        m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * g  # adan.average
        n = state["exp_avg_sq"] = beta3 * n_prev + (1 - beta3) * y**2  # adan.average_square
        m_hat = m / (1 - beta1**t)  # adan.first_correction@bias
        v_hat = v / (1 - beta2**t)  # adan.second_correction@bias
        n_hat = n / (1 - beta3**t)  # adan.third_correction@bias
        theta = theta - lr * (m_hat + beta2 * v_hat) / (torch.sqrt(n_hat) + eps)  # adan.update
        last = state["previous_grad"] = g.clone()  # adan.last_gradient
        if not no_prox:
            theta = theta / (1 + lr * weight_decay)  # adan.decay@prox
        return theta
