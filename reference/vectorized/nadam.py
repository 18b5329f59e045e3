# GENERATED from spec/algorithms/nadam.py (dialect nadam/torch) by
#     python -m instep.reference.generate
"""NAdam, vectorized: a drop-in for torch's optimizers, many tensors a call."""

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


class NAdam(VectorizedOptimizer):
    """NAdam: Adam with Nesterov momentum.

    The dialect is nadam/torch: torch.optim.NAdam. The momentum starts near half of beta1 and grows
    to it.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.002).
        betas: decay rates of the two moments, each in [0,1) (default: (0.9, 0.999)).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-08).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        momentum_decay: how fast the momentum grows to beta1, in [0,inf) (default: 0.004).
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
        Dozat, Incorporating Nesterov momentum into Adam, ICLR 2016 workshop, algorithm 2,
            https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ
        Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019, algorithm 2,
            arXiv:1711.05101
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "eps": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
        "momentum_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {
        "decoupled_weight_decay": False,
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
    }
    _layout = Layout(numbers=frozenset({"step", "mu_product"}), counter="step")
    _kernel = Kernel("nadam", ("exp_avg", "exp_avg_sq"))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.002,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float | Tensor = 1e-08,
        weight_decay: float | Tensor = 0.0,
        momentum_decay: float | Tensor = 0.004,
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
            "momentum_decay": momentum_decay,
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
        state.setdefault("mu_product", 1)

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        psi = group["momentum_decay"]
        decoupled_weight_decay = group["decoupled_weight_decay"]
        maximize = group["maximize"]
        m = state["exp_avg"]
        v = state["exp_avg_sq"]
        product = state["mu_product"]
        t = state["step"] = state["step"] + 1

        if maximize:
            # nadam.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # nadam.gradient@no: g = grad
            g = grad
        if not decoupled_weight_decay and weight_decay != 0:
            # nadam.l2: g = g + weight_decay * theta
            g = torch._foreach_add(g, theta, alpha=weight_decay)
        if decoupled_weight_decay:
            # nadam.decay: theta = theta - lr * weight_decay * theta
            torch._foreach_mul_(theta, 1 - lr * weight_decay)
        # nadam.first_moment: m = beta1 * m_prev + (1 - beta1) * g
        torch._foreach_lerp_(m, g, 1 - beta1)
        # nadam.second_moment: v = beta2 * v_prev + (1 - beta2) * g**2
        torch._foreach_mul_(v, beta2)
        torch._foreach_addcmul_(v, g, g, value=1 - beta2)
        # nadam.momentum: mu = beta1 * (1 - 0.5 * 0.96**(t * psi))
        mu = beta1 * (1 - 0.5 * 0.96 ** (t * psi))
        # nadam.next_momentum: mu_next = beta1 * (1 - 0.5 * 0.96**((t + 1) * psi))
        mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        # nadam.momentum_product: product = product_prev * mu
        product = product * mu
        state["mu_product"] = product
        # nadam.first_correction: m_hat = mu_next * m / (1 - product * mu_next) + (1 - mu) * g / (1
        #     - product)
        m_hat = torch._foreach_mul(m, mu_next)
        torch._foreach_div_(m_hat, 1 - product * mu_next)
        _first_correction = torch._foreach_mul(g, 1 - mu)
        torch._foreach_div_(_first_correction, 1 - product)
        torch._foreach_add_(m_hat, _first_correction)
        _second_correction = 1 - beta2**t
        # nadam.second_correction: v_hat = v / (1 - beta2**t)
        # nadam.denominator: d = torch.sqrt(v_hat) + eps
        d = torch._foreach_sqrt(v)
        torch._foreach_div_(d, math.sqrt(_second_correction))
        torch._foreach_add_(d, eps)
        # nadam.update: theta = theta - lr * m_hat / d
        torch._foreach_addcdiv_(theta, m_hat, d, value=-lr)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        psi = group["momentum_decay"]
        decoupled_weight_decay = group["decoupled_weight_decay"]
        maximize = group["maximize"]
        product = state["mu_product"]
        t = state["step"] = state["step"] + 1

        _decay = 0.0
        if decoupled_weight_decay:
            _decay = 1 - lr * weight_decay
        _first_moment = 1 - beta1
        _second_moment = 1 - beta2
        mu = beta1 * (1 - 0.5 * 0.96 ** (t * psi))
        mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        product = state["mu_product"] = product * mu
        _first_correction = 1 - product * mu_next
        _first_correction_2 = 1 - mu
        _first_correction_3 = 1 - product
        _second_correction = 1 - beta2**t
        _denominator = math.sqrt(_second_correction)
        _update = -lr
        return Call(
            switches={
                "MAXIMIZE": maximize,
                "DECAY_L2_AND_WEIGHT_DECAY": not decoupled_weight_decay and weight_decay != 0,
                "DECAY_DECOUPLED": decoupled_weight_decay,
            },
            numbers=(
                weight_decay,
                _decay,
                _first_moment,
                beta2,
                _second_moment,
                mu_next,
                _first_correction,
                _first_correction_2,
                _first_correction_3,
                _denominator,
                eps,
                _update,
            ),
        )

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        psi = group["momentum_decay"]
        decoupled_weight_decay = group["decoupled_weight_decay"]
        maximize = group["maximize"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        product_prev = state["mu_product"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # nadam.gradient@yes
        else:
            g = grad  # nadam.gradient@no
        if not decoupled_weight_decay and weight_decay != 0:
            g = g + weight_decay * theta  # nadam.l2
        if decoupled_weight_decay:
            theta = theta - lr * weight_decay * theta  # nadam.decay
        m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * g  # nadam.first_moment
        v = state["exp_avg_sq"] = beta2 * v_prev + (1 - beta2) * g**2  # nadam.second_moment
        mu = beta1 * (1 - 0.5 * 0.96 ** (t * psi))  # nadam.momentum
        mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))  # nadam.next_momentum
        product = state["mu_product"] = product_prev * mu  # nadam.momentum_product
        # nadam.first_correction
        m_hat = mu_next * m / (1 - product * mu_next) + (1 - mu) * g / (1 - product)
        v_hat = v / (1 - beta2**t)  # nadam.second_correction
        d = torch.sqrt(v_hat) + eps  # nadam.denominator
        theta = theta - lr * m_hat / d  # nadam.update
        return theta
