# GENERATED from spec/algorithms/signsgd.py (dialect signum/paper) by
#     python -m instep.reference.generate
"""Signum, vectorized: a drop-in for torch's optimizers, many tensors a call."""

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
from instep.reference.runtime.work import Group, State


class Signum(VectorizedOptimizer):
    """signSGD: the sign of the gradient, or of its momentum.

    The dialect is signum/paper: arXiv:1802.04434, algorithm 2. The momentum is an average of
    gradients that starts at 0.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        momentum: momentum factor, in [0,1) (default: 0.9).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        maximize: ascend instead of descend (default: False).
        foreach: run on lists of tensors (True), or not (default: None).
        differentiable: let autograd run through the step (default: False).
        fused: run a fused kernel where there is one (default: None).
        backend: "auto", "foreach", "fused" or "eager"; the keywords foreach and fused must agree
            with it (default: 'auto').

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Bernstein et al., signSGD: compressed optimisation for non-convex problems, ICML 2018,
            algorithms 1 and 2, arXiv:1802.04434
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "momentum": Interval(0, 1, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {
        "maximize": False,
        "foreach": None,
        "differentiable": False,
        "fused": None,
    }
    _kernel = Kernel("signum", ("momentum_buffer",))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        momentum: float | Tensor = 0.9,
        weight_decay: float | Tensor = 0.0,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
        backend: Backend = "auto",
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults, backend)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(theta)

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        momentum = group["momentum"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m = state["momentum_buffer"]

        if maximize:
            # signum.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # signum.gradient@no: g = grad
            g = grad
        # signum.decay: theta = theta - lr * weight_decay * theta
        torch._foreach_mul_(theta, 1 - lr * weight_decay)
        # signum.momentum@ema: m = momentum * m_prev + (1 - momentum) * g
        torch._foreach_lerp_(m, g, 1 - momentum)
        # signum.direction@momentum: d = m
        # signum.update: theta = theta - lr * torch.sign(d)
        _update = torch._foreach_sign(m)
        torch._foreach_add_(theta, _update, alpha=-lr)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        momentum = group["momentum"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]

        _decay = 1 - lr * weight_decay
        _momentum = 1 - momentum
        _update = -lr
        return Call(
            switches={"MAXIMIZE": maximize},
            numbers=(_decay, _momentum, _update),
        )

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        momentum = group["momentum"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m_prev = state["momentum_buffer"]

        if maximize:
            g = -grad  # signum.gradient@yes
        else:
            g = grad  # signum.gradient@no
        theta = theta - lr * weight_decay * theta  # signum.decay
        m = state["momentum_buffer"] = momentum * m_prev + (1 - momentum) * g  # signum.momentum@ema
        d = m  # signum.direction@momentum
        theta = theta - lr * torch.sign(d)  # signum.update
        return theta
