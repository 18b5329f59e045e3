# GENERATED from spec/algorithms/adopt.py (dialect adopt/paper) by
#     python -m instep.reference.generate
"""ADOPT, the eager reference: one tensor at a time, one equation a line."""

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


class ADOPT(EagerOptimizer):
    """ADOPT: adaptive gradients that converge with any beta2.

    The dialect is adopt/paper: arXiv:2411.02853, algorithm 2; the authors' release. The first step
    only starts the second moment; lanes are clipped to the number of updates before, to the power
    1/4, so the first update is one of signs.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        betas: decay rates of the two moments, each in [0,1) (default: (0.9, 0.9999)).
        eps: least value of the denominator, in [0,inf) (default: 1e-06).
        clip_exp: power of the number of steps that lanes are clipped to, in [0,inf) (default:
            0.25).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Taniguchi et al., ADOPT: modified Adam can converge with any beta2 with the optimal rate,
            NeurIPS 2024, algorithm 2, arXiv:2411.02853
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "eps": Interval(0, inf, "[)"),
        "clip_exp": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {"maximize": False}
    _layout = Layout(numbers=frozenset({"step"}), counter="step")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.9999),
        eps: float | Tensor = 1e-06,
        clip_exp: float | Tensor = 0.25,
        weight_decay: float | Tensor = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "clip_exp": clip_exp,
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
        power = group["clip_exp"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # adopt.gradient@yes
        else:
            g = grad  # adopt.gradient@no
        g = g + weight_decay * theta  # adopt.l2
        if t == 1:
            v = state["exp_avg_sq"] = g**2  # adopt.second_moment@first
        else:
            n = g / torch.sqrt(v_prev).clamp(min=eps)  # adopt.normalized
            c = (t - 1) ** power  # adopt.clip
            n = n.clamp(max=c).clamp(min=-c)  # adopt.normalized@clipped
            m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * n  # adopt.first_moment
            theta = theta - lr * m  # adopt.update
            v = state["exp_avg_sq"] = beta2 * v_prev + (1 - beta2) * g**2  # adopt.second_moment
        return theta
