# GENERATED from spec/algorithms/adabelief.py (dialect adabelief/paper) by
#     python -m instep.reference.generate
"""AdaBelief, the eager reference: one tensor at a time, one equation a line."""

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


class AdaBelief(EagerOptimizer):
    """AdaBelief: step sizes by the belief in observed gradients.

    The dialect is adabelief/paper: arXiv:2010.07468, algorithm 2. eps is added to the squared
    deviation in every step and kept there, so that it accumulates to eps / (1 - beta2); it is added
    once more after the root.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        betas: decay rates of the mean and of the squared deviation from it, each in [0,1) (default:
            (0.9, 0.999)).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-16).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Zhuang et al., AdaBelief optimizer: adapting stepsizes by the belief in observed gradients,
            NeurIPS 2020, algorithm 2, arXiv:2010.07468
        Liu et al., On the variance of the adaptive learning rate and beyond, ICLR 2020,
            arXiv:1908.03265
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
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float | Tensor = 1e-16,
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
        if "exp_avg_var" not in state:
            state["exp_avg_var"] = torch.zeros_like(theta)

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m_prev = state["exp_avg"]
        s_prev = state["exp_avg_var"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # adabelief.gradient@yes
        else:
            g = grad  # adabelief.gradient@no
        theta = theta - lr * weight_decay * theta  # adabelief.decay@decoupled
        m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * g  # adabelief.mean
        d = g - m  # adabelief.deviation@new_mean
        # adabelief.belief@accumulated
        s = state["exp_avg_var"] = beta2 * s_prev + (1 - beta2) * d**2 + eps
        m_hat = m / (1 - beta1**t)  # adabelief.first_correction
        s_hat = torch.sqrt(s / (1 - beta2**t)) + eps  # adabelief.denominator@accumulated
        theta = theta - lr * m_hat / s_hat  # adabelief.update
        return theta
