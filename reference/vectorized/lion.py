# GENERATED from spec/algorithms/lion.py (dialect lion/paper) by
#     python -m instep.reference.generate
"""Lion, vectorized: a drop-in for torch's optimizers, many tensors a call."""

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


class Lion(VectorizedOptimizer):
    """Lion: evolved sign momentum.

    The dialect is lion/paper: arXiv:2302.06675, algorithm 2. Weights decay by lr times
    weight_decay: before the update or inside of it, which is the same.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.0001).
        betas: weight of the momentum in the vote, and its decay rate, each in [0,1) (default: (0.9,
            0.99)).
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
        Chen et al., Symbolic discovery of optimization algorithms, NeurIPS 2023, algorithm 2,
            arXiv:2302.06675
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {
        "maximize": False,
        "foreach": None,
        "differentiable": False,
        "fused": None,
    }
    _kernel = Kernel("lion", ("exp_avg",))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.0001,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.99),
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
            "betas": betas,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults, backend)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        if "exp_avg" not in state:
            state["exp_avg"] = torch.zeros_like(theta)

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m = state["exp_avg"]

        if maximize:
            # lion.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # lion.gradient@no: g = grad
            g = grad
        # lion.decay@decoupled: theta = theta - lr * weight_decay * theta
        torch._foreach_mul_(theta, 1 - lr * weight_decay)
        # lion.direction: c = beta1 * m_prev + (1 - beta1) * g
        c = torch._foreach_lerp(m, g, 1 - beta1)
        # lion.momentum: m = beta2 * m_prev + (1 - beta2) * g
        torch._foreach_lerp_(m, g, 1 - beta2)
        # lion.update: theta = theta - lr * torch.sign(c)
        torch._foreach_sign_(c)
        torch._foreach_add_(theta, c, alpha=-lr)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]

        _decay = 1 - lr * weight_decay
        _direction = 1 - beta1
        _momentum = 1 - beta2
        _update = -lr
        return Call(
            switches={"MAXIMIZE": maximize},
            numbers=(_decay, _direction, _momentum, _update),
        )

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m_prev = state["exp_avg"]

        if maximize:
            g = -grad  # lion.gradient@yes
        else:
            g = grad  # lion.gradient@no
        theta = theta - lr * weight_decay * theta  # lion.decay@decoupled
        c = beta1 * m_prev + (1 - beta1) * g  # lion.direction
        m = state["exp_avg"] = beta2 * m_prev + (1 - beta2) * g  # lion.momentum
        theta = theta - lr * torch.sign(c)  # lion.update
        return theta
