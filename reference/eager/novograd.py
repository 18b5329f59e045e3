# GENERATED from spec/algorithms/novograd.py (dialect novograd/paper) by
#     python -m instep.reference.generate
"""NovoGrad, the eager reference: one tensor at a time, one equation a line."""

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


class NovoGrad(EagerOptimizer):
    """NovoGrad: layerwise second moments.

    The dialect is novograd/paper: arXiv:1905.11286, algorithm 1. Both moments start as what the
    first gradient gives; decay is inside.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        betas: decay rates of the two moments, each in [0,1) (default: (0.95, 0.98)).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-08).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        grad_averaging: weigh what enters the first moment by 1 - beta1 (default: False).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Ginsburg et al., Stochastic gradient methods with layer-wise adaptive moments for training
            of deep networks, 2019, algorithm 1, arXiv:1905.11286
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "eps": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {"grad_averaging": False, "maximize": False}
    _layout = Layout(late=frozenset({"exp_avg"}), late_reduced=frozenset({"exp_avg_sq"}))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        betas: tuple[float | Tensor, float | Tensor] = (0.95, 0.98),
        eps: float | Tensor = 1e-08,
        weight_decay: float | Tensor = 0.0,
        grad_averaging: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "grad_averaging": grad_averaging,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        grad_averaging = group["grad_averaging"]
        m_prev: Any = state.get("exp_avg")
        v_prev: Any = state.get("exp_avg_sq")

        if maximize:
            g = -grad  # novograd.gradient@yes
        else:
            g = grad  # novograd.gradient@no
        square = (g**2).sum()  # novograd.square
        if v_prev is None:
            v = state["exp_avg_sq"] = square.clone()  # novograd.second_moment@first
        else:
            # novograd.second_moment@once
            v = state["exp_avg_sq"] = beta2 * v_prev + (1 - beta2) * square
        u = g / (torch.sqrt(v) + eps)  # novograd.normalised
        u = u + weight_decay * theta  # novograd.penalty
        if m_prev is None:
            m = state["exp_avg"] = u.clone()  # novograd.first_moment@first
        elif grad_averaging:
            m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * u  # novograd.first_moment@yes
        else:
            m = state["exp_avg"] = beta1 * m_prev + u  # novograd.first_moment@no
        theta = theta - lr * m  # novograd.update
        return theta
