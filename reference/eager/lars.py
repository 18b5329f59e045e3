# GENERATED from spec/algorithms/lars.py (dialect lars/paper) by
#     python -m instep.reference.generate
"""LARS, the eager reference: one tensor at a time, one equation a line."""

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


class LARS(EagerOptimizer):
    """LARS: layerwise adaptive rate scaling.

    The dialect is lars/paper: arXiv:1708.03888, algorithm 1. The rate is in the buffer; a norm of
    zero, of which the paper does not speak, leaves the gradient unscaled.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.01).
        momentum: momentum factor, in [0,1) (default: 0.9).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        trust_coefficient: how far a ratio of norms is trusted, in [0,inf) (default: 0.001).
        nesterov: look ahead along the buffer (default: False).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.
        ValueError: nesterov needs a momentum above 0.

    References:
        You, Gitman and Ginsburg, Large batch training of convolutional networks, 2017, algorithm 1,
            arXiv:1708.03888
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "momentum": Interval(0, 1, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
        "trust_coefficient": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {"nesterov": False, "maximize": False}
    _layout = Layout(late=frozenset({"momentum_buffer"}))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.01,
        momentum: float | Tensor = 0.9,
        weight_decay: float | Tensor = 0.0,
        trust_coefficient: float | Tensor = 0.001,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "trust_coefficient": trust_coefficient,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _require(self, group: Group) -> None:
        if group["nesterov"] and group["momentum"] == 0:
            raise ValueError("nesterov needs a momentum above 0")

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        mu = group["momentum"]
        weight_decay = group["weight_decay"]
        trust = group["trust_coefficient"]
        maximize = group["maximize"]
        nesterov = group["nesterov"]
        b_prev: Any = state.get("momentum_buffer")

        if maximize:
            g = -grad  # lars.gradient@yes
        else:
            g = grad  # lars.gradient@no
        w_norm = torch.sqrt((theta**2).sum())  # lars.weight_norm
        g_norm = torch.sqrt((g**2).sum())  # lars.gradient_norm
        # lars.trust_ratio@sum
        trust_ratio = torch.where(
            (w_norm > 0) & (g_norm > 0), trust * w_norm / (g_norm + weight_decay * w_norm), 1
        )
        d = trust_ratio * (g + weight_decay * theta)  # lars.direction
        if b_prev is None:
            b = state["momentum_buffer"] = lr * d  # lars.buffer@inside
        else:
            b = state["momentum_buffer"] = mu * b_prev + lr * d  # lars.buffer@inside
        if nesterov:
            s = lr * d + mu * b  # lars.step@inside
        else:
            s = b  # lars.step@buffer
        theta = theta - s  # lars.update@inside
        return theta
