# GENERATED from spec/algorithms/sparse_adam.py (dialect sparseadam/torch) by
#     python -m instep.reference.generate
"""SparseAdam, the eager reference: one tensor at a time, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime import scalar_math as math
from instep.reference.runtime.eager import EagerOptimizer
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.sparse import Accepts, spread
from instep.reference.runtime.work import Group, Layout, State


class SparseAdam(EagerOptimizer):
    """Masked Adam for sparse gradients.

    The dialect is sparseadam/torch: torch.optim.SparseAdam. Both corrections are folded into the
    step size: eps stands beside the raw root.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in (0,inf) (default: 0.001).
        betas: decay rates of the two moments, each in [0,1) (default: (0.9, 0.999)).
        eps: term that keeps the denominator away from zero, in (0,inf) (default: 1e-08).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, algorithm 1 and the
            remark after it, arXiv:1412.6980
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "()"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "eps": Interval(0, inf, "()"),
    }
    _older: ClassVar[Mapping[str, object]] = {"maximize": False}
    _layout = Layout(numbers=frozenset({"step"}), counter="step", tensor=False)
    _accepts = Accepts(dense=False, sparse=True, complex=False, masked=True)

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float | Tensor = 1e-08,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
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
        maximize = group["maximize"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1
        grad, touched = spread(grad)

        if maximize:
            g = -grad  # sparseadam.gradient@yes
        else:
            g = grad  # sparseadam.gradient@no
        # sparseadam.first_moment
        m = state["exp_avg"] = torch.where(touched, beta1 * m_prev + (1 - beta1) * g, m_prev)
        # sparseadam.second_moment
        v = state["exp_avg_sq"] = torch.where(touched, beta2 * v_prev + (1 - beta2) * g**2, v_prev)
        step_size = lr * math.sqrt(1 - beta2**t) / (1 - beta1**t)  # sparseadam.step_size@hat
        d = torch.sqrt(v) + eps  # sparseadam.denominator@hat
        theta = torch.where(touched, theta - step_size * m / d, theta)  # sparseadam.update
        return theta
