# GENERATED from spec/algorithms/adadelta.py (dialect adadelta/torch) by
#     python -m instep.reference.generate
"""Adadelta, vectorized: a drop-in for torch's optimizers, many tensors a call."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.kernels.launch import Call
from instep.reference.runtime.kernels.library import Kernel
from instep.reference.runtime.vectorized import Backend, Tensors, VectorizedOptimizer
from instep.reference.runtime.work import Group, Layout, State


class Adadelta(VectorizedOptimizer):
    """Adadelta: an adaptive learning rate method.

    The dialect is adadelta/torch: torch.optim.Adadelta. The paper's algorithm, its step times a
    learning rate.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, 1 in the paper, in [0,inf) (default: 1.0).
        rho: decay rate of both mean squares, in [0,1] (default: 0.9).
        eps: added to both mean squares; it sets the first steps, in [0,inf) (default: 1e-06).
        weight_decay: L2 penalty, in [0,inf) (default: 0.0).
        foreach: run on lists of tensors (True), or not (default: None).
        capturable: keep the step counter and tensor lr on the device (default: False).
        maximize: ascend instead of descend (default: False).
        differentiable: let autograd run through the step (default: False).
        backend: "auto", "foreach", "fused" or "eager"; the keywords foreach and fused must agree
            with it (default: 'auto').

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
    _older: ClassVar[Mapping[str, object]] = {
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
    }
    _layout = Layout(numbers=frozenset({"step"}), counter="step")
    _kernel = Kernel("adadelta", ("square_avg", "acc_delta"))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1.0,
        rho: float | Tensor = 0.9,
        eps: float | Tensor = 1e-06,
        weight_decay: float | Tensor = 0.0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
        backend: Backend = "auto",
    ) -> None:
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "capturable": capturable,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults, backend)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        state.setdefault("step", 0.0)
        if "square_avg" not in state:
            state["square_avg"] = torch.zeros_like(theta)
        if "acc_delta" not in state:
            state["acc_delta"] = torch.zeros_like(theta)

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        rho = group["rho"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        v = state["square_avg"]
        u = state["acc_delta"]
        state["step"] = state["step"] + 1

        if maximize:
            # adadelta.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # adadelta.gradient@no: g = grad
            g = grad
        if weight_decay != 0:
            # adadelta.l2: g = g + weight_decay * theta
            g = torch._foreach_add(g, theta, alpha=weight_decay)
        # adadelta.mean_square_gradient: v = rho * v_prev + (1 - rho) * g**2
        torch._foreach_mul_(v, rho)
        torch._foreach_addcmul_(v, g, g, value=1 - rho)
        # adadelta.step: delta = torch.sqrt(u_prev + eps) / torch.sqrt(v + eps) * g
        delta = torch._foreach_add(u, eps)
        torch._foreach_sqrt_(delta)
        _step = torch._foreach_add(v, eps)
        torch._foreach_sqrt_(_step)
        torch._foreach_div_(delta, _step)
        torch._foreach_mul_(delta, g)
        # adadelta.mean_square_step: u = rho * u_prev + (1 - rho) * delta**2
        torch._foreach_mul_(u, rho)
        torch._foreach_addcmul_(u, delta, delta, value=1 - rho)
        # adadelta.update: theta = theta - lr * delta
        torch._foreach_add_(theta, delta, alpha=-lr)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        rho = group["rho"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        state["step"] = state["step"] + 1

        _mean_square_gradient = 1 - rho
        _mean_square_step = 1 - rho
        _update = -lr
        return Call(
            switches={"MAXIMIZE": maximize, "WEIGHT_DECAY": weight_decay != 0},
            numbers=(weight_decay, rho, _mean_square_gradient, eps, _mean_square_step, _update),
        )

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
