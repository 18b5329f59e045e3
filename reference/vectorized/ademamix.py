# GENERATED from spec/algorithms/ademamix.py (dialect ademamix/constant) by
#     python -m instep.reference.generate
"""AdEMAMix, vectorized: a drop-in for torch's optimizers, many tensors a call."""

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


class AdEMAMix(VectorizedOptimizer):
    """AdEMAMix: a mixture of two averages of gradients.

    The dialect is ademamix/constant: the authors' release without warmup. alpha and beta3 have
    their full values from the first step on.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        betas: decay rates of the fast average, the second moment and the slow average, each in
            (0,1) (default: (0.9, 0.999, 0.9999)).
        alpha: weight of the slow average, in [0,inf) (default: 2.0).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-08).
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
        Pagliardini, Ablin and Grangier, The AdEMAMix optimizer: better, faster, older, ICLR 2025,
            algorithm 1, arXiv:2409.03137
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "()"), Interval(0, 1, "()"), Interval(0, 1, "()")),
        "alpha": Interval(0, inf, "[)"),
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
    _kernel = Kernel("ademamix", ("exp_avg_fast", "exp_avg_slow", "exp_avg_sq"))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        betas: tuple[float | Tensor, float | Tensor, float | Tensor] = (0.9, 0.999, 0.9999),
        alpha: float | Tensor = 2.0,
        eps: float | Tensor = 1e-08,
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
            "alpha": alpha,
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
        if "exp_avg_fast" not in state:
            state["exp_avg_fast"] = torch.zeros_like(theta)
        if "exp_avg_slow" not in state:
            state["exp_avg_slow"] = torch.zeros_like(theta)
        if "exp_avg_sq" not in state:
            state["exp_avg_sq"] = torch.zeros_like(theta)

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2, beta3 = group["betas"]
        alpha = group["alpha"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m1 = state["exp_avg_fast"]
        m2 = state["exp_avg_slow"]
        v = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            # ademamix.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # ademamix.gradient@no: g = grad
            g = grad
        # ademamix.decay@decoupled: theta = theta - lr * weight_decay * theta
        torch._foreach_mul_(theta, 1 - lr * weight_decay)
        # ademamix.share: share = alpha
        share = alpha
        # ademamix.slow_rate: b3 = beta3
        b3 = beta3
        # ademamix.fast_average: m1 = beta1 * m1_prev + (1 - beta1) * g
        torch._foreach_lerp_(m1, g, 1 - beta1)
        # ademamix.slow_average: m2 = b3 * m2_prev + (1 - b3) * g
        torch._foreach_lerp_(m2, g, 1 - b3)
        # ademamix.second_moment: v = beta2 * v_prev + (1 - beta2) * g**2
        torch._foreach_mul_(v, beta2)
        torch._foreach_addcmul_(v, g, g, value=1 - beta2)
        _first_correction = 1 - beta1**t
        _second_correction = 1 - beta2**t
        # ademamix.first_correction: m_hat = m1 / (1 - beta1**t)
        # ademamix.second_correction: v_hat = v / (1 - beta2**t)
        # ademamix.update: theta = theta - lr * (m_hat + share * m2) / (torch.sqrt(v_hat) + eps)
        _update = torch._foreach_div(m1, _first_correction)
        torch._foreach_add_(_update, m2, alpha=share)
        _update_2 = torch._foreach_sqrt(v)
        torch._foreach_div_(_update_2, math.sqrt(_second_correction))
        torch._foreach_add_(_update_2, eps)
        torch._foreach_addcdiv_(theta, _update, _update_2, value=-lr)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2, beta3 = group["betas"]
        alpha = group["alpha"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        t = state["step"] = state["step"] + 1

        _decay = 1 - lr * weight_decay
        share = alpha
        b3 = beta3
        _fast_average = 1 - beta1
        _slow_average = 1 - b3
        _second_moment = 1 - beta2
        _first_correction = 1 - beta1**t
        _second_correction = 1 - beta2**t
        _update = -lr
        _update_2 = math.sqrt(_second_correction)
        return Call(
            switches={"MAXIMIZE": maximize},
            numbers=(
                _decay,
                _fast_average,
                _slow_average,
                beta2,
                _second_moment,
                _update,
                _first_correction,
                share,
                _update_2,
                eps,
            ),
        )

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2, beta3 = group["betas"]
        alpha = group["alpha"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m1_prev = state["exp_avg_fast"]
        m2_prev = state["exp_avg_slow"]
        v_prev = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # ademamix.gradient@yes
        else:
            g = grad  # ademamix.gradient@no
        theta = theta - lr * weight_decay * theta  # ademamix.decay@decoupled
        share = alpha  # ademamix.share
        b3 = beta3  # ademamix.slow_rate
        m1 = state["exp_avg_fast"] = beta1 * m1_prev + (1 - beta1) * g  # ademamix.fast_average
        m2 = state["exp_avg_slow"] = b3 * m2_prev + (1 - b3) * g  # ademamix.slow_average
        v = state["exp_avg_sq"] = beta2 * v_prev + (1 - beta2) * g**2  # ademamix.second_moment
        m_hat = m1 / (1 - beta1**t)  # ademamix.first_correction
        v_hat = v / (1 - beta2**t)  # ademamix.second_correction
        theta = theta - lr * (m_hat + share * m2) / (torch.sqrt(v_hat) + eps)  # ademamix.update
        return theta
