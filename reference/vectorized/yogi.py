# GENERATED from spec/algorithms/yogi.py (dialect yogi/paper) by
#     python -m instep.reference.generate
"""Yogi, vectorized: a drop-in for torch's optimizers, many tensors a call."""

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


class Yogi(VectorizedOptimizer):
    """Yogi: additive adaptive method.

    The dialect is yogi/paper: Zaheer et al. 2018, algorithm 2. Moments are used as they are; the
    second one starts at 1e-6.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.01).
        betas: decay rates of the two moments, each in [0,1) (default: (0.9, 0.999)).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 0.001).
        initial_accumulator: initial second moment, in [0,inf) (default: 1e-06).
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
        Zaheer et al., Adaptive methods for nonconvex optimization, NeurIPS 2018, algorithm 2,
            https://proceedings.neurips.cc/paper/2018/hash/90365351ccc7437a1309dc64e4db32a3
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "eps": Interval(0, inf, "[)"),
        "initial_accumulator": Interval(0, inf, "[)"),
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
    _kernel = Kernel("yogi", ("exp_avg", "exp_avg_sq"))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.01,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float | Tensor = 0.001,
        initial_accumulator: float | Tensor = 1e-06,
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
            "initial_accumulator": initial_accumulator,
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
            state["exp_avg_sq"] = torch.full_like(theta, group["initial_accumulator"])

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m = state["exp_avg"]
        v = state["exp_avg_sq"]
        state["step"] = state["step"] + 1

        if maximize:
            # yogi.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # yogi.gradient@no: g = grad
            g = grad
        # yogi.l2: g = g + weight_decay * theta
        g = torch._foreach_add(g, theta, alpha=weight_decay)
        # yogi.first_moment: m = beta1 * m_prev + (1 - beta1) * g
        torch._foreach_lerp_(m, g, 1 - beta1)
        _second_moment = torch._foreach_mul(g, g)
        # yogi.second_moment: v = v_prev - (1 - beta2) * torch.sign(v_prev - g**2) * g**2
        _second_moment_2 = torch._foreach_sub(v, _second_moment)
        torch._foreach_sign_(_second_moment_2)
        torch._foreach_mul_(_second_moment_2, 1 - beta2)
        torch._foreach_mul_(_second_moment_2, _second_moment)
        torch._foreach_sub_(v, _second_moment_2)
        # yogi.first_correction@none: m_hat = m
        # yogi.second_correction@none: v_hat = v
        # yogi.update: theta = theta - lr * m_hat / (torch.sqrt(v_hat) + eps)
        _update = torch._foreach_sqrt(v)
        torch._foreach_add_(_update, eps)
        torch._foreach_addcdiv_(theta, m, _update, value=-lr)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        state["step"] = state["step"] + 1

        _first_moment = 1 - beta1
        _second_moment_2 = 1 - beta2
        _update = -lr
        return Call(
            switches={"MAXIMIZE": maximize},
            numbers=(weight_decay, _first_moment, _second_moment_2, _update, eps),
        )

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # yogi.gradient@yes
        else:
            g = grad  # yogi.gradient@no
        g = g + weight_decay * theta  # yogi.l2
        m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * g  # yogi.first_moment
        # yogi.second_moment
        v = state["exp_avg_sq"] = v_prev - (1 - beta2) * torch.sign(v_prev - g**2) * g**2
        m_hat = m  # yogi.first_correction@none
        v_hat = v  # yogi.second_correction@none
        theta = theta - lr * m_hat / (torch.sqrt(v_hat) + eps)  # yogi.update
        return theta
