# GENERATED from spec/algorithms/adan.py (dialect adan/release) by
#     python -m instep.reference.generate
"""Adan, vectorized: a drop-in for torch's optimizers, many tensors a call."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime import scalar_math as math
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.kernels.launch import Call
from instep.reference.runtime.kernels.library import Kernel
from instep.reference.runtime.vectorized import Backend, Tensors, VectorizedOptimizer
from instep.reference.runtime.work import Group, Layout, State


class Adan(VectorizedOptimizer):
    """Adan: adaptive Nesterov momentum.

    The dialect is adan/release: the authors' release. Betas are what is kept of an average, 1 minus
    those of the paper, and all three averages are corrected for their bias. The updated parameter
    is divided by 1 + lr * weight_decay.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        betas: decay rates of the averages of gradients, differences and squares, each in [0,1)
            (default: (0.98, 0.92, 0.99)).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-08).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        no_prox: decay before the update, not by dividing its result (default: False).
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
        Xie et al., Adan: adaptive Nesterov momentum algorithm for faster optimizing deep models,
            2022, algorithm 1, arXiv:2208.06677
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "eps": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {
        "no_prox": False,
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
        "fused": None,
    }
    _layout = Layout(numbers=frozenset({"step"}), counter="step", late=frozenset({"previous_grad"}))
    _kernel = Kernel("adan", ("exp_avg", "exp_avg_diff", "exp_avg_sq", "previous_grad"))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        betas: tuple[float | Tensor, float | Tensor, float | Tensor] = (0.98, 0.92, 0.99),
        eps: float | Tensor = 1e-08,
        weight_decay: float | Tensor = 0.0,
        no_prox: bool = False,
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
            "no_prox": no_prox,
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
        if "exp_avg_diff" not in state:
            state["exp_avg_diff"] = torch.zeros_like(theta)
        if "exp_avg_sq" not in state:
            state["exp_avg_sq"] = torch.zeros_like(theta)

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2, beta3 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        no_prox = group["no_prox"]
        m = state["exp_avg"]
        v = state["exp_avg_diff"]
        n = state["exp_avg_sq"]
        last: Any = state.get("previous_grad")
        _last_absent = last is None
        t = state["step"] = state["step"] + 1

        if maximize:
            # adan.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # adan.gradient@no: g = grad
            g = grad
        if no_prox:
            # adan.decay@decoupled: theta = theta - lr * weight_decay * theta
            torch._foreach_mul_(theta, 1 - lr * weight_decay)
        if _last_absent:
            # adan.difference@first: difference = 0 * g
            difference = torch._foreach_mul(g, 0)
        else:
            # adan.difference: difference = g - last_prev
            difference = torch._foreach_sub(g, last)
        # adan.average_difference: v = beta2 * v_prev + (1 - beta2) * difference
        torch._foreach_lerp_(v, difference, 1 - beta2)
        # adan.look_ahead: y = g + beta2 * difference
        y = torch._foreach_add(g, difference, alpha=beta2)
        # adan.average: m = beta1 * m_prev + (1 - beta1) * g
        torch._foreach_lerp_(m, g, 1 - beta1)
        # adan.average_square: n = beta3 * n_prev + (1 - beta3) * y**2
        torch._foreach_mul_(n, beta3)
        torch._foreach_addcmul_(n, y, y, value=1 - beta3)
        _first_correction = 1 - beta1**t
        _second_correction = 1 - beta2**t
        _third_correction = 1 - beta3**t
        # adan.first_correction@bias: m_hat = m / (1 - beta1**t)
        # adan.second_correction@bias: v_hat = v / (1 - beta2**t)
        # adan.third_correction@bias: n_hat = n / (1 - beta3**t)
        # adan.update: theta = theta - lr * (m_hat + beta2 * v_hat) / (torch.sqrt(n_hat) + eps)
        _update = torch._foreach_div(m, _first_correction)
        torch._foreach_add_(_update, v, alpha=beta2 / _second_correction)
        _update_2 = torch._foreach_sqrt(n)
        torch._foreach_div_(_update_2, math.sqrt(_third_correction))
        torch._foreach_add_(_update_2, eps)
        torch._foreach_addcdiv_(theta, _update, _update_2, value=-lr)
        # adan.last_gradient: last = g
        last = tuple(_g.clone() for _g in g)
        state["previous_grad"] = last
        if not no_prox:
            # adan.decay@prox: theta = theta / (1 + lr * weight_decay)
            torch._foreach_div_(theta, 1 + lr * weight_decay)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2, beta3 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        no_prox = group["no_prox"]
        t = state["step"] = state["step"] + 1

        _decay = 0.0
        if no_prox:
            _decay = 1 - lr * weight_decay
        _average_difference = 1 - beta2
        _average = 1 - beta1
        _average_square = 1 - beta3
        _first_correction = 1 - beta1**t
        _second_correction = 1 - beta2**t
        _third_correction = 1 - beta3**t
        _update = -lr
        _update_2 = beta2 / _second_correction
        _update_3 = math.sqrt(_third_correction)
        _decay_2 = 0.0
        if not no_prox:
            _decay_2 = 1 + lr * weight_decay
        return Call(
            switches={
                "MAXIMIZE": maximize,
                "NO_PROX": no_prox,
                "LAST_ABSENT": state.get("previous_grad") is None,
                "NOT_NO_PROX": not no_prox,
            },
            numbers=(
                _decay,
                _average_difference,
                beta2,
                _average,
                beta3,
                _average_square,
                _update,
                _first_correction,
                _update_2,
                _update_3,
                eps,
                _decay_2,
            ),
            made={"previous_grad": True},
        )

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2, beta3 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        no_prox = group["no_prox"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_diff"]
        n_prev = state["exp_avg_sq"]
        last_prev: Any = state.get("previous_grad")
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # adan.gradient@yes
        else:
            g = grad  # adan.gradient@no
        if no_prox:
            theta = theta - lr * weight_decay * theta  # adan.decay@decoupled
        if last_prev is None:
            difference = 0 * g  # adan.difference@first
        else:
            difference = g - last_prev  # adan.difference
        # adan.average_difference
        v = state["exp_avg_diff"] = beta2 * v_prev + (1 - beta2) * difference
        y = g + beta2 * difference  # adan.look_ahead
        m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * g  # adan.average
        n = state["exp_avg_sq"] = beta3 * n_prev + (1 - beta3) * y**2  # adan.average_square
        m_hat = m / (1 - beta1**t)  # adan.first_correction@bias
        v_hat = v / (1 - beta2**t)  # adan.second_correction@bias
        n_hat = n / (1 - beta3**t)  # adan.third_correction@bias
        theta = theta - lr * (m_hat + beta2 * v_hat) / (torch.sqrt(n_hat) + eps)  # adan.update
        last = state["previous_grad"] = g.clone()  # adan.last_gradient
        if not no_prox:
            theta = theta / (1 + lr * weight_decay)  # adan.decay@prox
        return theta
