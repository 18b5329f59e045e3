# GENERATED from spec/algorithms/adabelief.py (dialect adabelief/paper) by
#     python -m instep.reference.generate
"""AdaBelief, vectorized: a drop-in for torch's optimizers, many tensors a call."""

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


class AdaBelief(VectorizedOptimizer):
    """AdaBelief: step sizes by the belief in observed gradients.

    The dialect is adabelief/paper: arXiv:2010.07468, algorithm 2. eps is added to the squared
    deviation in every step and kept there, so that it accumulates to eps / (1 - beta2); it is added
    once more after the root.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        betas: decay rates of the mean and of the squared deviation from it, each in [0,1) (default:
            (0.9, 0.999)).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-16).
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
        Zhuang et al., AdaBelief optimizer: adapting stepsizes by the belief in observed gradients,
            NeurIPS 2020, algorithm 2, arXiv:2010.07468
        Liu et al., On the variance of the adaptive learning rate and beyond, ICLR 2020,
            arXiv:1908.03265
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
        "fused": None,
    }
    _layout = Layout(numbers=frozenset({"step"}), counter="step")
    _kernel = Kernel("adabelief", ("exp_avg", "exp_avg_var"))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float | Tensor = 1e-16,
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
        if "exp_avg_var" not in state:
            state["exp_avg_var"] = torch.zeros_like(theta)

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m = state["exp_avg"]
        s = state["exp_avg_var"]
        t = state["step"] = state["step"] + 1

        if maximize:
            # adabelief.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # adabelief.gradient@no: g = grad
            g = grad
        # adabelief.decay@decoupled: theta = theta - lr * weight_decay * theta
        torch._foreach_mul_(theta, 1 - lr * weight_decay)
        # adabelief.mean: m = beta1 * m_prev + (1 - beta1) * g
        torch._foreach_lerp_(m, g, 1 - beta1)
        # adabelief.deviation@new_mean: d = g - m
        d = torch._foreach_sub(g, m)
        # adabelief.belief@accumulated: s = beta2 * s_prev + (1 - beta2) * d**2 + eps
        torch._foreach_mul_(s, beta2)
        torch._foreach_addcmul_(s, d, d, value=1 - beta2)
        torch._foreach_add_(s, eps)
        _first_correction = 1 - beta1**t
        _denominator = 1 - beta2**t
        # adabelief.denominator@accumulated: s_hat = torch.sqrt(s / (1 - beta2**t)) + eps
        s_hat = torch._foreach_sqrt(s)
        torch._foreach_div_(s_hat, math.sqrt(_denominator))
        torch._foreach_add_(s_hat, eps)
        # adabelief.first_correction: m_hat = m / (1 - beta1**t)
        # adabelief.update: theta = theta - lr * m_hat / s_hat
        torch._foreach_addcdiv_(theta, m, s_hat, value=-lr / _first_correction)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        t = state["step"] = state["step"] + 1

        _decay = 1 - lr * weight_decay
        _mean = 1 - beta1
        _belief = 1 - beta2
        _first_correction = 1 - beta1**t
        _denominator = 1 - beta2**t
        _denominator_2 = math.sqrt(_denominator)
        _update = -lr / _first_correction
        return Call(
            switches={"MAXIMIZE": maximize},
            numbers=(_decay, _mean, beta2, _belief, eps, _denominator_2, _update),
        )

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m_prev = state["exp_avg"]
        s_prev = state["exp_avg_var"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # adabelief.gradient@yes
        else:
            g = grad  # adabelief.gradient@no
        theta = theta - lr * weight_decay * theta  # adabelief.decay@decoupled
        m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * g  # adabelief.mean
        d = g - m  # adabelief.deviation@new_mean
        # adabelief.belief@accumulated
        s = state["exp_avg_var"] = beta2 * s_prev + (1 - beta2) * d**2 + eps
        m_hat = m / (1 - beta1**t)  # adabelief.first_correction
        s_hat = torch.sqrt(s / (1 - beta2**t)) + eps  # adabelief.denominator@accumulated
        theta = theta - lr * m_hat / s_hat  # adabelief.update
        return theta
