# GENERATED from spec/algorithms/mars.py (dialect mars/adamw) by
#     python -m instep.reference.generate
"""MARS, vectorized: a drop-in for torch's optimizers, many tensors a call."""

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


class MARS(VectorizedOptimizer):
    """MARS: make variance reduction shine.

    The dialect is mars/adamw: the authors' release, MARS-AdamW with optimize_1d=True. The first
    gradient is compared with 0. Vectors are treated as matrices are; the release gives them to
    AdamW unless told otherwise.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.003).
        betas: decay rates of the two moments, each in [0,1) (default: (0.95, 0.99)).
        gamma: strength of the correction, in [0,inf) (default: 0.025).
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
        Yuan et al., MARS: unleashing the power of variance reduction for training large models,
            2024, algorithms 1-3, arXiv:2411.10438
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "gamma": Interval(0, inf, "[)"),
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
    _kernel = Kernel("mars", ("exp_avg", "exp_avg_sq", "last_grad"))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.003,
        betas: tuple[float | Tensor, float | Tensor] = (0.95, 0.99),
        gamma: float | Tensor = 0.025,
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
            "gamma": gamma,
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
        if "last_grad" not in state:
            state["last_grad"] = torch.zeros_like(theta)

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        gamma = group["gamma"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m = state["exp_avg"]
        v = state["exp_avg_sq"]
        last = state["last_grad"]
        t = state["step"] = state["step"] + 1

        if maximize:
            # mars.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # mars.gradient@no: g = grad
            g = grad
        # mars.corrected: c = g + gamma * (beta1 / (1 - beta1)) * (g - last_prev)
        _corrected = torch._foreach_sub(g, last)
        c = torch._foreach_add(g, _corrected, alpha=gamma * (beta1 / (1 - beta1)))
        # mars.size: size = torch.sqrt((c**2).sum()).clamp(min=1)
        size = tuple((_c * _c).sum() for _c in c)
        torch._foreach_sqrt_(size)
        torch._foreach_clamp_min_(size, 1)
        # mars.corrected@clipped: c = c / size
        torch._foreach_div_(c, size)
        # mars.last_gradient: last = g
        last = tuple(_g.clone() for _g in g)
        state["last_grad"] = last
        # mars.first_moment: m = beta1 * m_prev + (1 - beta1) * c
        torch._foreach_lerp_(m, c, 1 - beta1)
        # mars.decay: theta = theta - lr * weight_decay * theta
        torch._foreach_mul_(theta, 1 - lr * weight_decay)
        # mars.second_moment: v = beta2 * v_prev + (1 - beta2) * c**2
        torch._foreach_mul_(v, beta2)
        torch._foreach_addcmul_(v, c, c, value=1 - beta2)
        _first_correction = 1 - beta1**t
        _second_correction = 1 - beta2**t
        # mars.first_correction: m_hat = m / (1 - beta1**t)
        # mars.second_correction: v_hat = v / (1 - beta2**t)
        # mars.update@adamw: theta = theta - lr * m_hat / (torch.sqrt(v_hat) + eps)
        _update = torch._foreach_sqrt(v)
        torch._foreach_div_(_update, math.sqrt(_second_correction))
        torch._foreach_add_(_update, eps)
        torch._foreach_addcdiv_(theta, m, _update, value=-lr / _first_correction)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        gamma = group["gamma"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        t = state["step"] = state["step"] + 1

        _corrected = gamma * (beta1 / (1 - beta1))
        _first_moment = 1 - beta1
        _decay = 1 - lr * weight_decay
        _second_moment = 1 - beta2
        _first_correction = 1 - beta1**t
        _second_correction = 1 - beta2**t
        _update = -lr / _first_correction
        _update_2 = math.sqrt(_second_correction)
        return Call(
            switches={"MAXIMIZE": maximize},
            numbers=(
                _corrected,
                _first_moment,
                _decay,
                beta2,
                _second_moment,
                _update,
                _update_2,
                eps,
            ),
        )

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        gamma = group["gamma"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        last_prev = state["last_grad"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # mars.gradient@yes
        else:
            g = grad  # mars.gradient@no
        c = g + gamma * (beta1 / (1 - beta1)) * (g - last_prev)  # mars.corrected
        size = torch.sqrt((c**2).sum()).clamp(min=1)  # mars.size
        c = c / size  # mars.corrected@clipped
        last = state["last_grad"] = g.clone()  # mars.last_gradient
        m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * c  # mars.first_moment
        theta = theta - lr * weight_decay * theta  # mars.decay
        v = state["exp_avg_sq"] = beta2 * v_prev + (1 - beta2) * c**2  # mars.second_moment
        m_hat = m / (1 - beta1**t)  # mars.first_correction
        v_hat = v / (1 - beta2**t)  # mars.second_correction
        theta = theta - lr * m_hat / (torch.sqrt(v_hat) + eps)  # mars.update@adamw
        return theta
