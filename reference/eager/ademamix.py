# GENERATED from spec/algorithms/ademamix.py (dialect ademamix/constant) by
#     python -m instep.reference.generate
"""AdEMAMix, the eager reference: one tensor at a time, one equation a line."""

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


class AdEMAMix(EagerOptimizer):
    """AdEMAMix: a mixture of two averages of gradients.

    The dialect is ademamix/constant: the authors' release without warmup. alpha and beta3 have
    their full values from the first step on.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        betas: decay rates of the fast average, the second moment and the slow average, each in
            (0,1) (default: (0.9, 0.999, 0.9999)).
        alpha: weight of the slow average, in [0,inf) (default: 2.0).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-08).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Pagliardini, Ablin and Grangier, The AdEMAMix optimizer: better, faster, older, ICLR 2025,
            algorithm 1, arXiv:2409.03137
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "()"), Interval(0, 1, "()"), Interval(0, 1, "()")),
        "alpha": Interval(0, inf, "[)"),
        "eps": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {"maximize": False}
    _layout = Layout(numbers=frozenset({"step"}), counter="step")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        betas: tuple[float | Tensor, float | Tensor, float | Tensor] = (0.9, 0.999, 0.9999),
        alpha: float | Tensor = 2.0,
        eps: float | Tensor = 1e-08,
        weight_decay: float | Tensor = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        state.setdefault("step", 0.0)
        if "exp_avg_fast" not in state:
            state["exp_avg_fast"] = torch.zeros_like(theta)
        if "exp_avg_slow" not in state:
            state["exp_avg_slow"] = torch.zeros_like(theta)
        if "exp_avg_sq" not in state:
            state["exp_avg_sq"] = torch.zeros_like(theta)

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2, beta3 = group["betas"]
        alpha = group["alpha"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m1_prev = state["exp_avg_fast"]
        m2_prev = state["exp_avg_slow"]
        v_prev = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # ademamix.gradient@yes
        else:
            g = grad  # ademamix.gradient@no
        theta = theta - lr * weight_decay * theta  # ademamix.decay@decoupled
        share = alpha  # ademamix.share
        b3 = beta3  # ademamix.slow_rate
        m1 = state["exp_avg_fast"] = beta1 * m1_prev + (1 - beta1) * g  # ademamix.fast_average
        m2 = state["exp_avg_slow"] = b3 * m2_prev + (1 - b3) * g  # ademamix.slow_average
        v = state["exp_avg_sq"] = beta2 * v_prev + (1 - beta2) * g**2  # ademamix.second_moment
        m_hat = m1 / (1 - beta1**t)  # ademamix.first_correction
        v_hat = v / (1 - beta2**t)  # ademamix.second_correction
        theta = theta - lr * (m_hat + share * m2) / (torch.sqrt(v_hat) + eps)  # ademamix.update
        return theta
