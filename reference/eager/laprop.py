# GENERATED from spec/algorithms/laprop.py (dialect laprop/paper) by
#     python -m instep.reference.generate
"""LaProp, the eager reference: one tensor at a time, one equation a line."""

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


class LaProp(EagerOptimizer):
    """LaProp: momentum decoupled from adaptivity.

    The dialect is laprop/paper: arXiv:2002.04839, algorithm 1. The learning rate stands outside the
    momentum.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in (0,inf) (default: 0.0004).
        betas: decay rates of the momentum and of the second moment, each in [0,1) (default: (0.9,
            0.999)).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-15).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Ziyin, Wang and Ueda, LaProp: separating momentum and adaptivity in Adam, 2020, algorithm 1,
            arXiv:2002.04839
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "()"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "eps": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {"maximize": False}
    _layout = Layout(numbers=frozenset({"step"}), counter="step")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.0004,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float | Tensor = 1e-15,
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
        mu, nu = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m_prev = state["exp_avg"]
        n_prev = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # laprop.gradient@yes
        else:
            g = grad  # laprop.gradient@no
        n = state["exp_avg_sq"] = nu * n_prev + (1 - nu) * g**2  # laprop.second_moment
        d = torch.sqrt(n / (1 - nu**t)) + eps  # laprop.denominator
        m = state["exp_avg"] = mu * m_prev + (1 - mu) * g / d  # laprop.momentum
        theta = theta - lr * m / (1 - mu**t)  # laprop.update
        theta = theta - lr * weight_decay * theta  # laprop.decay@after
        return theta
