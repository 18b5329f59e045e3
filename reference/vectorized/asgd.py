# GENERATED from spec/algorithms/asgd.py (dialect asgd/torch) by
#     python -m instep.reference.generate
"""ASGD, vectorized: a drop-in for torch's optimizers, many tensors a call."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime import scalar_math as math
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.kernels.launch import Call
from instep.reference.runtime.kernels.library import Kernel
from instep.reference.runtime.vectorized import Backend, Tensors, VectorizedOptimizer
from instep.reference.runtime.views import EvaluationPoint
from instep.reference.runtime.work import Group, Layout, State


class ASGD(EvaluationPoint, VectorizedOptimizer):
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
        foreach: run on lists of tensors (True), or not (default: None).
        maximize: ascend instead of descend (default: False).
        differentiable: let autograd run through the step (default: False).
        capturable: keep the step counter and tensor lr on the device (default: False).
        backend: "auto", "foreach", "fused" or "eager"; the keywords foreach and fused must agree
            with it (default: 'auto').

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
    _older: ClassVar[Mapping[str, object]] = {
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
    }
    _layout = Layout(numbers=frozenset({"step", "eta", "mu"}), counter="step")
    _kernel = Kernel("asgd", ("ax",))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.01,
        lambd: float | Tensor = 0.0001,
        alpha: float | Tensor = 0.75,
        t0: float | Tensor = 1000000.0,
        weight_decay: float | Tensor = 0.0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
        *,
        backend: Backend = "auto",
    ) -> None:
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults, backend)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        state.setdefault("step", 0.0)
        state.setdefault("eta", group["lr"])
        state.setdefault("mu", 1)
        if "ax" not in state:
            state["ax"] = torch.zeros_like(theta)

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        lambd = group["lambd"]
        alpha = group["alpha"]
        t0 = group["t0"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        eta = state["eta"]
        mu = state["mu"]
        ax = state["ax"]
        t = state["step"] = state["step"] + 1

        if maximize:
            # asgd.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # asgd.gradient@no: g = grad
            g = grad
        if weight_decay != 0:
            # asgd.l2: g = g + weight_decay * theta
            g = torch._foreach_add(g, theta, alpha=weight_decay)
        # asgd.step_size: eta = lr / (1 + lambd * lr * t)**alpha
        _eta = lr / (1 + lambd * lr * t) ** alpha
        state["eta"] = _eta
        # asgd.weight: mu = 1 / math.maximum(1, t - t0)
        _mu = 1 / math.maximum(1, t - t0)
        state["mu"] = _mu
        # asgd.rate@lagged: rate = eta_prev
        rate = eta
        # asgd.share@lagged: share = mu_prev
        share = mu
        # asgd.decay: theta = theta - lambd * rate * theta
        torch._foreach_mul_(theta, 1 - lambd * rate)
        # asgd.update: theta = theta - rate * g
        torch._foreach_add_(theta, g, alpha=-rate)
        # asgd.average: ax = ax_prev + share * (theta - ax_prev)
        _average = torch._foreach_sub(theta, ax)
        torch._foreach_add_(ax, _average, alpha=share)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        lambd = group["lambd"]
        alpha = group["alpha"]
        t0 = group["t0"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        eta = state["eta"]
        mu = state["mu"]
        t = state["step"] = state["step"] + 1

        _eta = state["eta"] = lr / (1 + lambd * lr * t) ** alpha
        _mu = state["mu"] = 1 / math.maximum(1, t - t0)
        rate = eta
        share = mu
        _decay = 1 - lambd * rate
        _update = -rate
        return Call(
            switches={"MAXIMIZE": maximize, "WEIGHT_DECAY": weight_decay != 0},
            numbers=(weight_decay, _decay, _update, share),
        )

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
