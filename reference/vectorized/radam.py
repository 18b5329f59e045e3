# GENERATED from spec/algorithms/radam.py (dialect radam/torch) by
#     python -m instep.reference.generate
"""RAdam, vectorized: a drop-in for torch's optimizers, many tensors a call."""

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


class RAdam(VectorizedOptimizer):
    """RAdam: rectified Adam.

    The dialect is radam/torch: torch.optim.RAdam. Rectified above a length of 5; eps is added
    before the root is corrected.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        betas: decay rates of the two moments, each in [0,1) (default: (0.9, 0.999)).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-08).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        decoupled_weight_decay: how weight decays (default: False).
        foreach: run on lists of tensors (True), or not (default: None).
        maximize: ascend instead of descend (default: False).
        capturable: keep the step counter and tensor lr on the device (default: False).
        differentiable: let autograd run through the step (default: False).
        backend: "auto", "foreach", "fused" or "eager"; the keywords foreach and fused must agree
            with it (default: 'auto').

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Liu et al., On the variance of the adaptive learning rate and beyond, ICLR 2020, algorithm
            2, arXiv:1908.03265
        Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019, algorithm 2,
            arXiv:1711.05101
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "eps": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {
        "decoupled_weight_decay": False,
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
    }
    _layout = Layout(numbers=frozenset({"step"}), counter="step")
    _kernel = Kernel("radam", ("exp_avg", "exp_avg_sq"))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float | Tensor = 1e-08,
        weight_decay: float | Tensor = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        backend: Backend = "auto",
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "capturable": capturable,
            "differentiable": differentiable,
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
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        decoupled_weight_decay = group["decoupled_weight_decay"]
        maximize = group["maximize"]
        m = state["exp_avg"]
        v = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            # radam.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # radam.gradient@no: g = grad
            g = grad
        if not decoupled_weight_decay and weight_decay != 0:
            # radam.l2: g = g + weight_decay * theta
            g = torch._foreach_add(g, theta, alpha=weight_decay)
        if decoupled_weight_decay:
            # radam.decay: theta = theta - lr * weight_decay * theta
            torch._foreach_mul_(theta, 1 - lr * weight_decay)
        # radam.first_moment: m = beta1 * m_prev + (1 - beta1) * g
        torch._foreach_lerp_(m, g, 1 - beta1)
        # radam.second_moment: v = beta2 * v_prev + (1 - beta2) * g**2
        torch._foreach_mul_(v, beta2)
        torch._foreach_addcmul_(v, g, g, value=1 - beta2)
        _first_correction = 1 - beta1**t
        # radam.first_correction: m_hat = m / (1 - beta1**t)
        m_hat = torch._foreach_div(m, _first_correction)
        # radam.longest_average: rho_inf = 2 / (1 - beta2) - 1
        rho_inf = 2 / (1 - beta2) - 1
        # radam.average_length: rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
        rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
        # radam.threshold@five: rho_min = 5
        rho_min = 5
        if rho > rho_min:
            # radam.rectification: r = math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) *
            #     (rho_inf - 2) * rho))
            r = math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
            _denominator = math.sqrt(1 - beta2**t)
            # radam.denominator@hat: d = (torch.sqrt(v) + eps) / math.sqrt(1 - beta2**t)
            d = torch._foreach_sqrt(v)
            torch._foreach_add_(d, eps)
            torch._foreach_div_(d, _denominator)
            # radam.update: theta = theta - lr * r * m_hat / d
            torch._foreach_addcdiv_(theta, m_hat, d, value=-lr * r)
        else:
            # radam.update@unrectified: theta = theta - lr * m_hat
            torch._foreach_add_(theta, m_hat, alpha=-lr)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        decoupled_weight_decay = group["decoupled_weight_decay"]
        maximize = group["maximize"]
        t = state["step"] = state["step"] + 1

        _decay = 0.0
        if decoupled_weight_decay:
            _decay = 1 - lr * weight_decay
        _first_moment = 1 - beta1
        _second_moment = 1 - beta2
        _first_correction = 1 - beta1**t
        rho_inf = 2 / (1 - beta2) - 1
        rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
        rho_min = 5
        _denominator = _update = _update_2 = 0.0
        if rho > rho_min:
            r = math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
            _denominator = math.sqrt(1 - beta2**t)
            _update = -lr * r
        else:
            _update_2 = -lr
        return Call(
            switches={
                "MAXIMIZE": maximize,
                "DECAY_L2_AND_WEIGHT_DECAY": not decoupled_weight_decay and weight_decay != 0,
                "DECAY_DECOUPLED": decoupled_weight_decay,
                "RHO_ABOVE_RHO_MIN": rho > rho_min,
            },
            numbers=(
                weight_decay,
                _decay,
                _first_moment,
                beta2,
                _second_moment,
                _first_correction,
                eps,
                _denominator,
                _update,
                _update_2,
            ),
        )

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        decoupled_weight_decay = group["decoupled_weight_decay"]
        maximize = group["maximize"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # radam.gradient@yes
        else:
            g = grad  # radam.gradient@no
        if not decoupled_weight_decay and weight_decay != 0:
            g = g + weight_decay * theta  # radam.l2
        if decoupled_weight_decay:
            theta = theta - lr * weight_decay * theta  # radam.decay
        m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * g  # radam.first_moment
        v = state["exp_avg_sq"] = beta2 * v_prev + (1 - beta2) * g**2  # radam.second_moment
        m_hat = m / (1 - beta1**t)  # radam.first_correction
        rho_inf = 2 / (1 - beta2) - 1  # radam.longest_average
        rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)  # radam.average_length
        rho_min = 5  # radam.threshold@five
        if rho > rho_min:
            # radam.rectification
            r = math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
            d = (torch.sqrt(v) + eps) / math.sqrt(1 - beta2**t)  # radam.denominator@hat
            theta = theta - lr * r * m_hat / d  # radam.update
        else:
            theta = theta - lr * m_hat  # radam.update@unrectified
        return theta

    def _captured_update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The same in a captured step: both sides of what the step decides, and one taken."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        decoupled_weight_decay = group["decoupled_weight_decay"]
        maximize = group["maximize"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # radam.gradient@yes
        else:
            g = grad  # radam.gradient@no
        if not decoupled_weight_decay and weight_decay != 0:
            g = g + weight_decay * theta  # radam.l2
        if decoupled_weight_decay:
            theta = theta - lr * weight_decay * theta  # radam.decay
        m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * g  # radam.first_moment
        v = state["exp_avg_sq"] = beta2 * v_prev + (1 - beta2) * g**2  # radam.second_moment
        m_hat = m / (1 - beta1**t)  # radam.first_correction
        rho_inf = 2 / (1 - beta2) - 1  # radam.longest_average
        rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)  # radam.average_length
        rho_min = 5  # radam.threshold@five
        # radam.rectification
        _r_then = math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
        _d_then = (torch.sqrt(v) + eps) / math.sqrt(1 - beta2**t)  # radam.denominator@hat
        _theta_then = theta - lr * _r_then * m_hat / _d_then  # radam.update
        _theta_else = theta - lr * m_hat  # radam.update@unrectified
        theta = torch.where(rho > rho_min, _theta_then, _theta_else)  # radam.update
        return theta
