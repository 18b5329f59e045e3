# GENERATED from spec/algorithms/adadelta.py (dialect adadelta/torch) by
#     python -m instep.reference.generate
"""Adadelta, the eager reference: one tensor at a time, one equation a line."""

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


class Adadelta(EagerOptimizer):
    """Adadelta: an adaptive learning rate method.

    The dialect is adadelta/torch: torch.optim.Adadelta. The paper's algorithm, its step times a
    learning rate.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, 1 in the paper, in [0,inf) (default: 1.0).
        rho: decay rate of both mean squares, in [0,1] (default: 0.9).
        eps: added to both mean squares; it sets the first steps, in [0,inf) (default: 1e-06).
        weight_decay: L2 penalty, in [0,inf) (default: 0.0).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Zeiler, ADADELTA: an adaptive learning rate method, 2012, algorithm 1, arXiv:1212.5701
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "rho": Interval(0, 1, "[]"),
        "eps": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {"maximize": False}
    _layout = Layout(numbers=frozenset({"step"}), counter="step")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1.0,
        rho: float | Tensor = 0.9,
        eps: float | Tensor = 1e-06,
        weight_decay: float | Tensor = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        state.setdefault("step", 0.0)
        if "square_avg" not in state:
            state["square_avg"] = torch.zeros_like(theta)
        if "acc_delta" not in state:
            state["acc_delta"] = torch.zeros_like(theta)

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        rho = group["rho"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        v_prev = state["square_avg"]
        u_prev = state["acc_delta"]
        state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # adadelta.gradient@yes
        else:
            g = grad  # adadelta.gradient@no
        if weight_decay != 0:
            g = g + weight_decay * theta  # adadelta.l2
        v = state["square_avg"] = rho * v_prev + (1 - rho) * g**2  # adadelta.mean_square_gradient
        delta = torch.sqrt(u_prev + eps) / torch.sqrt(v + eps) * g  # adadelta.step
        u = state["acc_delta"] = rho * u_prev + (1 - rho) * delta**2  # adadelta.mean_square_step
        theta = theta - lr * delta  # adadelta.update
        return theta
