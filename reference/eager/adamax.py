# GENERATED from spec/algorithms/adamax.py (dialect adamax/torch) by
#     python -m instep.reference.generate
"""Adamax, the eager reference: one tensor at a time, one equation a line."""

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


class Adamax(EagerOptimizer):
    """Adamax: Adam with the infinity norm.

    The dialect is adamax/torch: torch.optim.Adamax; optax.adamax. eps is added to the size of the
    gradient. The paper has none.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.002).
        betas: decay rates of first moment and norm, each in [0,1) (default: (0.9, 0.999)).
        eps: term that keeps the norm away from zero, in [0,inf) (default: 1e-08).
        weight_decay: L2 penalty, in [0,inf) (default: 0.0).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, algorithm 2,
            arXiv:1412.6980
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
        lr: float | Tensor = 0.002,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float | Tensor = 1e-08,
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
        if "exp_inf" not in state:
            state["exp_inf"] = torch.zeros_like(theta)

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m_prev = state["exp_avg"]
        u_prev = state["exp_inf"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # adamax.gradient@yes
        else:
            g = grad  # adamax.gradient@no
        if weight_decay != 0:
            g = g + weight_decay * theta  # adamax.l2
        m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * g  # adamax.first_moment
        # adamax.infinity_norm@gradient
        u = state["exp_inf"] = torch.maximum(beta2 * u_prev, torch.abs(g) + eps)
        m_hat = m / (1 - beta1**t)  # adamax.first_correction
        d = u  # adamax.denominator
        theta = theta - lr * m_hat / d  # adamax.update
        return theta
