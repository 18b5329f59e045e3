# GENERATED from spec/algorithms/asgd.py (dialect asgd/torch) by
#     python -m instep.reference.generate
"""ASGD, the eager reference: one tensor at a time, one equation a line."""

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
from instep.reference.runtime.views import EvaluationPoint
from instep.reference.runtime.work import Group, Layout, State


class ASGD(EvaluationPoint, EagerOptimizer):
    """ASGD: averaged stochastic gradient descent.

    The dialect is asgd/torch: torch.optim.ASGD. Step size and weight are those that the step before
    left: the schedule lags.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate of the first step, in [0,inf) (default: 0.01).
        lambd: decay of the parameter; also how fast the step size falls (default: 0.0001).
        alpha: power at which the step size falls (default: 0.75).
        t0: step after which averaging begins (default: 1000000.0).
        weight_decay: L2 penalty, beside lambd, in [0,inf) (default: 0.0).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Polyak and Juditsky, Acceleration of stochastic approximation by averaging, SIAM J. Control
            Optim. 30, 1992, doi:10.1137/0330046
        Xu, Towards optimal one pass large scale learning with averaged stochastic gradient descent,
            2011, section 4, arXiv:1107.2490
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "lambd": Interval(-inf, inf, "()"),
        "alpha": Interval(-inf, inf, "()"),
        "t0": Interval(-inf, inf, "()"),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {"maximize": False}
    _layout = Layout(numbers=frozenset({"step", "eta", "mu"}), counter="step")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.01,
        lambd: float | Tensor = 0.0001,
        alpha: float | Tensor = 0.75,
        t0: float | Tensor = 1000000.0,
        weight_decay: float | Tensor = 0.0,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        state.setdefault("step", 0.0)
        state.setdefault("eta", group["lr"])
        state.setdefault("mu", 1)
        if "ax" not in state:
            state["ax"] = torch.zeros_like(theta)

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        lambd = group["lambd"]
        alpha = group["alpha"]
        t0 = group["t0"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        eta_prev = state["eta"]
        mu_prev = state["mu"]
        ax_prev = state["ax"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # asgd.gradient@yes
        else:
            g = grad  # asgd.gradient@no
        if weight_decay != 0:
            g = g + weight_decay * theta  # asgd.l2
        eta = state["eta"] = lr / (1 + lambd * lr * t) ** alpha  # asgd.step_size
        mu = state["mu"] = 1 / math.maximum(1, t - t0)  # asgd.weight
        rate = eta_prev  # asgd.rate@lagged
        share = mu_prev  # asgd.share@lagged
        theta = theta - lambd * rate * theta  # asgd.decay
        theta = theta - rate * g  # asgd.update
        ax = state["ax"] = ax_prev + share * (theta - ax_prev)  # asgd.average
        return theta

    def _view_eval(self, theta: Tensor, state: State, group: Group) -> Tensor:
        """The averaged parameters, which are to be evaluated."""
        ax: Tensor = state["ax"]
        return ax
