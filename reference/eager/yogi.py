# GENERATED from spec/algorithms/yogi.py (dialect yogi/paper) by
#     python -m instep.reference.generate
"""Yogi, the eager reference: one tensor at a time, one equation a line."""

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


class Yogi(EagerOptimizer):
    """Yogi: additive adaptive method.

    The dialect is yogi/paper: Zaheer et al. 2018, algorithm 2. Moments are used as they are; the
    second one starts at 1e-6.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.01).
        betas: decay rates of the two moments, each in [0,1) (default: (0.9, 0.999)).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 0.001).
        initial_accumulator: initial second moment, in [0,inf) (default: 1e-06).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Zaheer et al., Adaptive methods for nonconvex optimization, NeurIPS 2018, algorithm 2,
            https://proceedings.neurips.cc/paper/2018/hash/90365351ccc7437a1309dc64e4db32a3
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "eps": Interval(0, inf, "[)"),
        "initial_accumulator": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {"maximize": False}
    _layout = Layout(numbers=frozenset({"step"}), counter="step")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.01,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float | Tensor = 0.001,
        initial_accumulator: float | Tensor = 1e-06,
        weight_decay: float | Tensor = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "initial_accumulator": initial_accumulator,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        state.setdefault("step", 0.0)
        if "exp_avg" not in state:
            state["exp_avg"] = torch.zeros_like(theta)
        if "exp_avg_sq" not in state:
            state["exp_avg_sq"] = torch.full_like(theta, group["initial_accumulator"])

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # yogi.gradient@yes
        else:
            g = grad  # yogi.gradient@no
        g = g + weight_decay * theta  # yogi.l2
        m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * g  # yogi.first_moment
        # yogi.second_moment
        v = state["exp_avg_sq"] = v_prev - (1 - beta2) * torch.sign(v_prev - g**2) * g**2
        m_hat = m  # yogi.first_correction@none
        v_hat = v  # yogi.second_correction@none
        theta = theta - lr * m_hat / (torch.sqrt(v_hat) + eps)  # yogi.update
        return theta
