# GENERATED from spec/algorithms/signsgd.py (dialect signsgd/paper) by
#     python -m instep.reference.generate
"""SignSGD, vectorized: a drop-in for torch's optimizers, many tensors a call."""

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


class SignSGD(VectorizedOptimizer):
    """signSGD: the sign of the gradient, or of its momentum.

    The dialect is signsgd/paper: arXiv:1802.04434, algorithm 1 with one worker. No momentum: the
    step does not depend on the size of the gradient.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
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
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {
        "maximize": False,
        "foreach": None,
        "differentiable": False,
        "fused": None,
    }
    _kernel = Kernel("signsgd")

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
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
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults, backend)

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]

        if maximize:
            # signsgd.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # signsgd.gradient@no: g = grad
            g = grad
        # signsgd.decay: theta = theta - lr * weight_decay * theta
        torch._foreach_mul_(theta, 1 - lr * weight_decay)
        # signsgd.direction@gradient: d = g
        # signsgd.update: theta = theta - lr * torch.sign(d)
        _update = torch._foreach_sign(g)
        torch._foreach_add_(theta, _update, alpha=-lr)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]

        _decay = 1 - lr * weight_decay
        _update = -lr
        return Call(
            switches={"MAXIMIZE": maximize},
            numbers=(_decay, _update),
        )

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]

        if maximize:
            g = -grad  # signsgd.gradient@yes
        else:
            g = grad  # signsgd.gradient@no
        theta = theta - lr * weight_decay * theta  # signsgd.decay
        d = g  # signsgd.direction@gradient
        theta = theta - lr * torch.sign(d)  # signsgd.update
        return theta
