# GENERATED from spec/algorithms/laprop.py (dialect laprop/paper) by
#     python -m instep.reference.generate
"""LaProp, vectorized: a drop-in for torch's optimizers, many tensors a call."""

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
from instep.reference.runtime.work import Group, Layout, State


class LaProp(VectorizedOptimizer):
    """LaProp: momentum decoupled from adaptivity.

    The dialect is laprop/paper: arXiv:2002.04839, algorithm 1. The learning rate stands outside the
    momentum.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in (0,inf) (default: 0.0004).
        betas: decay rates of the momentum and of the second moment, each in [0,1) (default: (0.9,
            0.999)).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-15).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        maximize: ascend instead of descend (default: False).
        foreach: run on lists of tensors (True), or not (default: None).
        capturable: keep the step counter and tensor lr on the device (default: False).
        differentiable: let autograd run through the step (default: False).
        fused: run a fused kernel where there is one (default: None).
        backend: "auto", "foreach", "fused" or "eager"; the keywords foreach and fused must agree
            with it (default: 'auto').

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Ziyin, Wang and Ueda, LaProp: separating momentum and adaptivity in Adam, 2020, algorithm 1,
            arXiv:2002.04839
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "()"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "eps": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
        "fused": None,
    }
    _layout = Layout(numbers=frozenset({"step"}), counter="step")
    _kernel = Kernel("laprop", ("exp_avg", "exp_avg_sq"))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.0004,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float | Tensor = 1e-15,
        weight_decay: float | Tensor = 0.0,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        backend: Backend = "auto",
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults, backend)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        state.setdefault("step", 0.0)
        if "exp_avg" not in state:
            state["exp_avg"] = torch.zeros_like(theta)
        if "exp_avg_sq" not in state:
            state["exp_avg_sq"] = torch.zeros_like(theta)

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        mu, nu = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m = state["exp_avg"]
        n = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            # laprop.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # laprop.gradient@no: g = grad
            g = grad
        # laprop.second_moment: n = nu * n_prev + (1 - nu) * g**2
        torch._foreach_mul_(n, nu)
        torch._foreach_addcmul_(n, g, g, value=1 - nu)
        _denominator = 1 - nu**t
        # laprop.denominator: d = torch.sqrt(n / (1 - nu**t)) + eps
        d = torch._foreach_sqrt(n)
        torch._foreach_div_(d, math.sqrt(_denominator))
        torch._foreach_add_(d, eps)
        # laprop.momentum: m = mu * m_prev + (1 - mu) * g / d
        torch._foreach_mul_(m, mu)
        torch._foreach_addcdiv_(m, g, d, value=1 - mu)
        _update = 1 - mu**t
        # laprop.update: theta = theta - lr * m / (1 - mu**t)
        _update_2 = torch._foreach_mul(m, lr)
        torch._foreach_div_(_update_2, _update)
        torch._foreach_sub_(theta, _update_2)
        # laprop.decay@after: theta = theta - lr * weight_decay * theta
        torch._foreach_mul_(theta, 1 - lr * weight_decay)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        mu, nu = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        t = state["step"] = state["step"] + 1

        _second_moment = 1 - nu
        _denominator = 1 - nu**t
        _denominator_2 = math.sqrt(_denominator)
        _momentum = 1 - mu
        _update = 1 - mu**t
        _decay = 1 - lr * weight_decay
        return Call(
            switches={"MAXIMIZE": maximize},
            numbers=(nu, _second_moment, _denominator_2, eps, mu, _momentum, lr, _update, _decay),
        )

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        mu, nu = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m_prev = state["exp_avg"]
        n_prev = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # laprop.gradient@yes
        else:
            g = grad  # laprop.gradient@no
        n = state["exp_avg_sq"] = nu * n_prev + (1 - nu) * g**2  # laprop.second_moment
        d = torch.sqrt(n / (1 - nu**t)) + eps  # laprop.denominator
        m = state["exp_avg"] = mu * m_prev + (1 - mu) * g / d  # laprop.momentum
        theta = theta - lr * m / (1 - mu**t)  # laprop.update
        theta = theta - lr * weight_decay * theta  # laprop.decay@after
        return theta
