# GENERATED from spec/transforms/lookahead.py and spec/algorithms/radam.py (dialect ranger/radam) by
#     python -m instep.reference.generate
"""Ranger, vectorized: a drop-in for torch's optimizers, many tensors a call."""

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


class Ranger(EvaluationPoint, VectorizedOptimizer):
    """Lookahead: k steps forward, 1 step back; around RAdam: rectified Adam.

    The dialect is ranger/radam: lessw2020/Ranger-Deep-Learning-Optimizer, its first version.
    Lookahead around RAdam with decoupled decay.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        betas: decay rates of the two moments, each in [0,1) (default: (0.95, 0.999)).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-05).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        k: steps between two synchronisations, an integer in [1,inf) (default: 6).
        alpha: how far the slow weights follow the fast ones, in [0,1] (default: 0.5).
        foreach: run on lists of tensors (True), or not (default: None).
        maximize: ascend instead of descend (default: False).
        capturable: keep the step counter and tensor lr on the device (default: False).
        differentiable: let autograd run through the step (default: False).
        backend: "auto", "foreach", "fused" or "eager"; the keywords foreach and fused must agree
            with it (default: 'auto').

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Zhang, Lucas, Hinton and Ba, Lookahead optimizer: k steps forward, 1 step back, NeurIPS
            2019, algorithm 1, arXiv:1907.08610
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
        "k": Interval(1, inf, "[)", integer=True),
        "alpha": Interval(0, 1, "[]"),
    }
    _pinned: ClassVar[Mapping[str, object]] = {"decoupled_weight_decay": True}
    _older: ClassVar[Mapping[str, object]] = {
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
    }
    _layout = Layout(numbers=frozenset({"step"}), counter="step")
    _kernel = Kernel("ranger", ("slow_buffer", "exp_avg", "exp_avg_sq"))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        betas: tuple[float | Tensor, float | Tensor] = (0.95, 0.999),
        eps: float | Tensor = 1e-05,
        weight_decay: float | Tensor = 0.0,
        k: int = 6,
        alpha: float | Tensor = 0.5,
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
            "k": k,
            "alpha": alpha,
            "foreach": foreach,
            "maximize": maximize,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults, backend)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        state.setdefault("step", 0.0)
        if "slow_buffer" not in state:
            state["slow_buffer"] = theta.clone()
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
        k = group["k"]
        alpha = group["alpha"]
        maximize = group["maximize"]
        slow = state["slow_buffer"]
        m = state["exp_avg"]
        v = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            # ranger.radam.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # ranger.radam.gradient@no: g = grad
            g = grad
        # ranger.radam.decay: theta = theta - lr * weight_decay * theta
        torch._foreach_mul_(theta, 1 - lr * weight_decay)
        # ranger.radam.first_moment: m = beta1 * m_prev + (1 - beta1) * g
        torch._foreach_lerp_(m, g, 1 - beta1)
        # ranger.radam.second_moment: v = beta2 * v_prev + (1 - beta2) * g**2
        torch._foreach_mul_(v, beta2)
        torch._foreach_addcmul_(v, g, g, value=1 - beta2)
        _first_correction = 1 - beta1**t
        # ranger.radam.first_correction: m_hat = m / (1 - beta1**t)
        m_hat = torch._foreach_div(m, _first_correction)
        # ranger.radam.longest_average: rho_inf = 2 / (1 - beta2) - 1
        rho_inf = 2 / (1 - beta2) - 1
        # ranger.radam.average_length: rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
        rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
        # ranger.radam.threshold@five: rho_min = 5
        rho_min = 5
        if rho > rho_min:
            # ranger.radam.rectification: r = math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf
            #     - 4) * (rho_inf - 2) * rho))
            r = math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
            _denominator = math.sqrt(1 - beta2**t)
            # ranger.radam.denominator@hat: d = (torch.sqrt(v) + eps) / math.sqrt(1 - beta2**t)
            d = torch._foreach_sqrt(v)
            torch._foreach_add_(d, eps)
            torch._foreach_div_(d, _denominator)
            # ranger.radam.update: theta = theta - lr * r * m_hat / d
            torch._foreach_addcdiv_(theta, m_hat, d, value=-lr * r)
        else:
            # ranger.radam.update@unrectified: theta = theta - lr * m_hat
            torch._foreach_add_(theta, m_hat, alpha=-lr)
        if t % k == 0:
            # ranger.slow_weights: slow = slow_prev + alpha * (theta - slow_prev)
            _slow_weights = torch._foreach_sub(theta, slow)
            torch._foreach_add_(slow, _slow_weights, alpha=alpha)
            # ranger.synchronise: theta = slow
            theta = tuple(_slow.clone() for _slow in slow)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        k = group["k"]
        alpha = group["alpha"]
        maximize = group["maximize"]
        t = state["step"] = state["step"] + 1

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
                "RHO_ABOVE_RHO_MIN": rho > rho_min,
                "T_MODULO_K_IS_0": t % k == 0,
            },
            numbers=(
                _decay,
                _first_moment,
                beta2,
                _second_moment,
                _first_correction,
                eps,
                _denominator,
                _update,
                _update_2,
                alpha,
            ),
        )

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        k = group["k"]
        alpha = group["alpha"]
        maximize = group["maximize"]
        slow_prev = state["slow_buffer"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # ranger.radam.gradient@yes
        else:
            g = grad  # ranger.radam.gradient@no
        theta = theta - lr * weight_decay * theta  # ranger.radam.decay
        m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * g  # ranger.radam.first_moment
        v = state["exp_avg_sq"] = beta2 * v_prev + (1 - beta2) * g**2  # ranger.radam.second_moment
        m_hat = m / (1 - beta1**t)  # ranger.radam.first_correction
        rho_inf = 2 / (1 - beta2) - 1  # ranger.radam.longest_average
        rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)  # ranger.radam.average_length
        rho_min = 5  # ranger.radam.threshold@five
        if rho > rho_min:
            # ranger.radam.rectification
            r = math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
            d = (torch.sqrt(v) + eps) / math.sqrt(1 - beta2**t)  # ranger.radam.denominator@hat
            theta = theta - lr * r * m_hat / d  # ranger.radam.update
        else:
            theta = theta - lr * m_hat  # ranger.radam.update@unrectified
        if t % k == 0:
            # ranger.slow_weights
            slow = state["slow_buffer"] = slow_prev + alpha * (theta - slow_prev)
            theta = slow  # ranger.synchronise
        return theta

    def _captured_update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The same in a captured step: both sides of what the step decides, and one taken."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        k = group["k"]
        alpha = group["alpha"]
        maximize = group["maximize"]
        slow_prev = state["slow_buffer"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # ranger.radam.gradient@yes
        else:
            g = grad  # ranger.radam.gradient@no
        theta = theta - lr * weight_decay * theta  # ranger.radam.decay
        m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * g  # ranger.radam.first_moment
        v = state["exp_avg_sq"] = beta2 * v_prev + (1 - beta2) * g**2  # ranger.radam.second_moment
        m_hat = m / (1 - beta1**t)  # ranger.radam.first_correction
        rho_inf = 2 / (1 - beta2) - 1  # ranger.radam.longest_average
        rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)  # ranger.radam.average_length
        rho_min = 5  # ranger.radam.threshold@five
        # ranger.radam.rectification
        _r_then = math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
        _d_then = (torch.sqrt(v) + eps) / math.sqrt(1 - beta2**t)  # ranger.radam.denominator@hat
        _theta_then = theta - lr * _r_then * m_hat / _d_then  # ranger.radam.update
        _theta_else = theta - lr * m_hat  # ranger.radam.update@unrectified
        theta = torch.where(rho > rho_min, _theta_then, _theta_else)  # ranger.radam.update
        _slow_then2 = slow_prev + alpha * (theta - slow_prev)  # ranger.slow_weights
        _theta_then2 = _slow_then2  # ranger.synchronise
        # ranger.slow_weights
        slow = state["slow_buffer"] = torch.where(t % k == 0, _slow_then2, slow_prev)
        theta = torch.where(t % k == 0, _theta_then2, theta)  # ranger.synchronise
        return theta

    def _view_eval(self, theta: Tensor, state: State, group: Group) -> Tensor:
        """The slow weights, which are to be evaluated."""
        slow: Tensor = state["slow_buffer"]
        return slow
