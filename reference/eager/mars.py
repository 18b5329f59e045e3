# GENERATED from spec/algorithms/mars.py (dialect mars/adamw) by
#     python -m instep.reference.generate
"""MARS, the eager reference: one tensor at a time, one equation a line."""

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


class MARS(EagerOptimizer):
    """MARS: make variance reduction shine.

    The dialect is mars/adamw: the authors' release, MARS-AdamW with optimize_1d=True. The first
    gradient is compared with 0. Vectors are treated as matrices are; the release gives them to
    AdamW unless told otherwise.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.003).
        betas: decay rates of the two moments, each in [0,1) (default: (0.95, 0.99)).
        gamma: strength of the correction, in [0,inf) (default: 0.025).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-08).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Yuan et al., MARS: unleashing the power of variance reduction for training large models,
            2024, algorithms 1-3, arXiv:2411.10438
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "gamma": Interval(0, inf, "[)"),
        "eps": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {"maximize": False}
    _layout = Layout(numbers=frozenset({"step"}), counter="step")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.003,
        betas: tuple[float | Tensor, float | Tensor] = (0.95, 0.99),
        gamma: float | Tensor = 0.025,
        eps: float | Tensor = 1e-08,
        weight_decay: float | Tensor = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "gamma": gamma,
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
        if "last_grad" not in state:
            state["last_grad"] = torch.zeros_like(theta)

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        gamma = group["gamma"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        last_prev = state["last_grad"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # mars.gradient@yes
        else:
            g = grad  # mars.gradient@no
        c = g + gamma * (beta1 / (1 - beta1)) * (g - last_prev)  # mars.corrected
        size = torch.sqrt((c**2).sum()).clamp(min=1)  # mars.size
        c = c / size  # mars.corrected@clipped
        last = state["last_grad"] = g.clone()  # mars.last_gradient
        m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * c  # mars.first_moment
        theta = theta - lr * weight_decay * theta  # mars.decay
        v = state["exp_avg_sq"] = beta2 * v_prev + (1 - beta2) * c**2  # mars.second_moment
        m_hat = m / (1 - beta1**t)  # mars.first_correction
        v_hat = v / (1 - beta2**t)  # mars.second_correction
        theta = theta - lr * m_hat / (torch.sqrt(v_hat) + eps)  # mars.update@adamw
        return theta
