# GENERATED from spec/algorithms/stableadamw.py (dialect stableadamw/paper) by
#     python -m instep.reference.generate
"""StableAdamW, the eager reference: one tensor at a time, one equation a line."""

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


class StableAdamW(EagerOptimizer):
    """StableAdamW: AdamW with update clipping.

    The dialect is stableadamw/paper: arXiv:2304.13013, algorithm 2; optimi.StableAdamW. The moments
    are kept corrected; what clips the step clips the decay too.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        betas: decay rates of the two moments, each in [0,1) (default: (0.9, 0.99)).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-06).
        weight_decay: weight decay, in [0,inf) (default: 0.01).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Wortsman et al., Stable and low-precision training for large-scale vision-language models,
            NeurIPS 2023, algorithm 2, arXiv:2304.13013
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
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.99),
        eps: float | Tensor = 1e-06,
        weight_decay: float | Tensor = 0.01,
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
            g = -grad  # stableadamw.gradient@yes
        else:
            g = grad  # stableadamw.gradient@no
        beta1_hat = (beta1 - beta1**t) / (1 - beta1**t)  # stableadamw.first_rate
        beta2_hat = (beta2 - beta2**t) / (1 - beta2**t)  # stableadamw.second_rate
        m = state["exp_avg"] = beta1_hat * m_prev + (1 - beta1_hat) * g  # stableadamw.first_moment
        # stableadamw.second_moment
        v = state["exp_avg_sq"] = beta2_hat * v_prev + (1 - beta2_hat) * g**2
        spread = torch.sqrt((g**2 / v.clamp(min=eps**2)).mean())  # stableadamw.spread
        step_size = lr / spread.clamp(min=1)  # stableadamw.step_size
        theta = theta - step_size * weight_decay * theta  # stableadamw.decay
        theta = theta - step_size * m / (torch.sqrt(v) + eps)  # stableadamw.update
        return theta
