# GENERATED from spec/algorithms/adam.py (dialect adam/paper) by
#     python -m instep.reference.generate
"""Adam, the eager reference: one tensor at a time, one equation a line."""

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


class Adam(EagerOptimizer):
    """Adam: adaptive moment estimation.

    The dialect is adam/paper: arXiv:1412.6980, algorithm 1; torch.optim.Adam. eps is added to the
    root of the corrected second moment.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        betas: decay rates of the two moments, each in [0,1) (default: (0.9, 0.999)).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-08).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        amsgrad: keep the largest second moment: none, the raw, the corrected one (default: False).
        maximize: ascend instead of descend (default: False).
        decoupled_weight_decay: how weight decays (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, algorithm 1,
            arXiv:1412.6980
        Reddi, Kale and Kumar, On the convergence of Adam and beyond, ICLR 2018, algorithm 2,
            arXiv:1904.09237
        Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019, algorithm 2,
            arXiv:1711.05101
        Defazio, Why gradients rapidly increase near the end of training, 2025, algorithm 1,
            arXiv:2506.02285
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "eps": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {
        "amsgrad": False,
        "maximize": False,
        "decoupled_weight_decay": False,
    }
    _layout = Layout(numbers=frozenset({"step"}), counter="step")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float | Tensor = 1e-08,
        weight_decay: float | Tensor = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        state.setdefault("step", 0.0)
        if "exp_avg" not in state:
            state["exp_avg"] = torch.zeros_like(theta)
        if "exp_avg_sq" not in state:
            state["exp_avg_sq"] = torch.zeros_like(theta)
        if group["amsgrad"] and "max_exp_avg_sq" not in state:
            state["max_exp_avg_sq"] = torch.zeros_like(theta)

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        amsgrad = group["amsgrad"]
        decoupled_weight_decay = group["decoupled_weight_decay"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        v_max_prev: Any = state.get("max_exp_avg_sq")
        v_max = v_max_prev
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # adam.gradient@yes
        else:
            g = grad  # adam.gradient@no
        if not decoupled_weight_decay and weight_decay != 0:
            g = g + weight_decay * theta  # adam.l2
        if decoupled_weight_decay:
            theta = theta - lr * weight_decay * theta  # adam.decay@decoupled
        m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * g  # adam.first_moment
        v = state["exp_avg_sq"] = beta2 * v_prev + (1 - beta2) * g**2  # adam.second_moment
        if amsgrad:
            v_max = state["max_exp_avg_sq"] = torch.maximum(v_max_prev, v)  # adam.maximum@raw
        m_hat = m / (1 - beta1**t)  # adam.first_correction@both
        if amsgrad:
            v_hat = v_max / (1 - beta2**t)  # adam.second_correction@both
        else:
            v_hat = v / (1 - beta2**t)  # adam.second_correction@both
        d = torch.sqrt(v_hat) + eps  # adam.denominator
        theta = theta - lr * m_hat / d  # adam.update
        return theta
