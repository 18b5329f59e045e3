# GENERATED from spec/algorithms/adamax.py (dialect adamax/torch) by
#     python -m instep.reference.generate
"""Adamax, vectorized: a drop-in for torch's optimizers, many tensors a call."""

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


class Adamax(VectorizedOptimizer):
    """Adamax: Adam with the infinity norm.

    The dialect is adamax/torch: torch.optim.Adamax; optax.adamax. eps is added to the size of the
    gradient. The paper has none.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.002).
        betas: decay rates of first moment and norm, each in [0,1) (default: (0.9, 0.999)).
        eps: term that keeps the norm away from zero, in [0,inf) (default: 1e-08).
        weight_decay: L2 penalty, in [0,inf) (default: 0.0).
        foreach: run on lists of tensors (True), or not (default: None).
        maximize: ascend instead of descend (default: False).
        differentiable: let autograd run through the step (default: False).
        capturable: keep the step counter and tensor lr on the device (default: False).
        backend: "auto", "foreach", "fused" or "eager"; the keywords foreach and fused must agree
            with it (default: 'auto').

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, algorithm 2,
            arXiv:1412.6980
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
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
    _kernel = Kernel("adamax", ("exp_avg", "exp_inf"))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.002,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float | Tensor = 1e-08,
        weight_decay: float | Tensor = 0.0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
        backend: Backend = "auto",
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults, backend)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        state.setdefault("step", 0.0)
        if "exp_avg" not in state:
            state["exp_avg"] = torch.zeros_like(theta)
        if "exp_inf" not in state:
            state["exp_inf"] = torch.zeros_like(theta)

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m = state["exp_avg"]
        u = state["exp_inf"]
        t = state["step"] = state["step"] + 1

        if maximize:
            # adamax.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # adamax.gradient@no: g = grad
            g = grad
        if weight_decay != 0:
            # adamax.l2: g = g + weight_decay * theta
            g = torch._foreach_add(g, theta, alpha=weight_decay)
        # adamax.first_moment: m = beta1 * m_prev + (1 - beta1) * g
        torch._foreach_lerp_(m, g, 1 - beta1)
        # adamax.infinity_norm@gradient: u = torch.maximum(beta2 * u_prev, torch.abs(g) + eps)
        torch._foreach_mul_(u, beta2)
        _infinity_norm = torch._foreach_abs(g)
        torch._foreach_add_(_infinity_norm, eps)
        torch._foreach_maximum_(u, _infinity_norm)
        _first_correction = 1 - beta1**t
        # adamax.denominator: d = u
        # adamax.first_correction: m_hat = m / (1 - beta1**t)
        # adamax.update: theta = theta - lr * m_hat / d
        torch._foreach_addcdiv_(theta, m, u, value=-lr / _first_correction)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        t = state["step"] = state["step"] + 1

        _first_moment = 1 - beta1
        _first_correction = 1 - beta1**t
        _update = -lr / _first_correction
        return Call(
            switches={"MAXIMIZE": maximize, "WEIGHT_DECAY": weight_decay != 0},
            numbers=(weight_decay, _first_moment, beta2, eps, _update),
        )

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m_prev = state["exp_avg"]
        u_prev = state["exp_inf"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # adamax.gradient@yes
        else:
            g = grad  # adamax.gradient@no
        if weight_decay != 0:
            g = g + weight_decay * theta  # adamax.l2
        m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * g  # adamax.first_moment
        # adamax.infinity_norm@gradient
        u = state["exp_inf"] = torch.maximum(beta2 * u_prev, torch.abs(g) + eps)
        m_hat = m / (1 - beta1**t)  # adamax.first_correction
        d = u  # adamax.denominator
        theta = theta - lr * m_hat / d  # adamax.update
        return theta
