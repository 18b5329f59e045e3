# GENERATED from spec/algorithms/adam.py (dialect adam/paper) by
#     python -m instep.reference.generate
"""Adam, vectorized: a drop-in for torch's optimizers, many tensors a call."""

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


class Adam(VectorizedOptimizer):
    """Adam: adaptive moment estimation.

    The dialect is adam/paper: arXiv:1412.6980, algorithm 1; torch.optim.Adam. eps is added to the
    root of the corrected second moment.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        betas: decay rates of the two moments, each in [0,1) (default: (0.9, 0.999)).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-08).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        amsgrad: keep the largest second moment: none, the raw, the corrected one (default: False).
        maximize: ascend instead of descend (default: False).
        decoupled_weight_decay: how weight decays (default: False).
        foreach: run on lists of tensors (True), or not (default: None).
        capturable: keep the step counter and tensor lr on the device (default: False).
        differentiable: let autograd run through the step (default: False).
        fused: run a fused kernel where there is one (default: None).
        backend: "auto", "foreach", "fused" or "eager"; the keywords foreach and fused must agree
            with it (default: 'auto').

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, algorithm 1,
            arXiv:1412.6980
        Reddi, Kale and Kumar, On the convergence of Adam and beyond, ICLR 2018, algorithm 2,
            arXiv:1904.09237
        Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019, algorithm 2,
            arXiv:1711.05101
        Defazio, Why gradients rapidly increase near the end of training, 2025, algorithm 1,
            arXiv:2506.02285
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "eps": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {
        "amsgrad": False,
        "maximize": False,
        "decoupled_weight_decay": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
        "fused": None,
    }
    _layout = Layout(numbers=frozenset({"step"}), counter="step")
    _kernel = Kernel("adam", ("exp_avg", "exp_avg_sq", "max_exp_avg_sq"))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float | Tensor = 1e-08,
        weight_decay: float | Tensor = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
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
            "amsgrad": amsgrad,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
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
        if group["amsgrad"] and "max_exp_avg_sq" not in state:
            state["max_exp_avg_sq"] = torch.zeros_like(theta)

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        amsgrad = group["amsgrad"]
        decoupled_weight_decay = group["decoupled_weight_decay"]
        m = state["exp_avg"]
        v = state["exp_avg_sq"]
        v_max: Any = state.get("max_exp_avg_sq")
        t = state["step"] = state["step"] + 1

        if maximize:
            # adam.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # adam.gradient@no: g = grad
            g = grad
        if not decoupled_weight_decay and weight_decay != 0:
            # adam.l2: g = g + weight_decay * theta
            g = torch._foreach_add(g, theta, alpha=weight_decay)
        if decoupled_weight_decay:
            # adam.decay@decoupled: theta = theta - lr * weight_decay * theta
            torch._foreach_mul_(theta, 1 - lr * weight_decay)
        # adam.first_moment: m = beta1 * m_prev + (1 - beta1) * g
        torch._foreach_lerp_(m, g, 1 - beta1)
        # adam.second_moment: v = beta2 * v_prev + (1 - beta2) * g**2
        torch._foreach_mul_(v, beta2)
        torch._foreach_addcmul_(v, g, g, value=1 - beta2)
        if amsgrad:
            # adam.maximum@raw: v_max = torch.maximum(v_max_prev, v)
            torch._foreach_maximum_(v_max, v)
        _first_correction = 1 - beta1**t
        _second_correction = 1 - beta2**t
        if amsgrad:
            _v_hat = v_max
        else:
            _v_hat = v
        # adam.second_correction@both: v_hat = v_max / (1 - beta2**t)
        # adam.second_correction@both: v_hat = v / (1 - beta2**t)
        # adam.denominator: d = torch.sqrt(v_hat) + eps
        d = torch._foreach_sqrt(_v_hat)
        torch._foreach_div_(d, math.sqrt(_second_correction))
        torch._foreach_add_(d, eps)
        # adam.first_correction@both: m_hat = m / (1 - beta1**t)
        # adam.update: theta = theta - lr * m_hat / d
        torch._foreach_addcdiv_(theta, m, d, value=-lr / _first_correction)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        amsgrad = group["amsgrad"]
        decoupled_weight_decay = group["decoupled_weight_decay"]
        t = state["step"] = state["step"] + 1

        _decay = 0.0
        if decoupled_weight_decay:
            _decay = 1 - lr * weight_decay
        _first_moment = 1 - beta1
        _second_moment = 1 - beta2
        _first_correction = 1 - beta1**t
        _second_correction = 1 - beta2**t
        _denominator = math.sqrt(_second_correction)
        _update = -lr / _first_correction
        return Call(
            switches={
                "MAXIMIZE": maximize,
                "DECAY_L2_AND_WEIGHT_DECAY": not decoupled_weight_decay and weight_decay != 0,
                "DECAY_DECOUPLED": decoupled_weight_decay,
                "AMSGRAD_RAW": amsgrad,
            },
            numbers=(
                weight_decay,
                _decay,
                _first_moment,
                beta2,
                _second_moment,
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
        maximize = group["maximize"]
        amsgrad = group["amsgrad"]
        decoupled_weight_decay = group["decoupled_weight_decay"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        v_max_prev: Any = state.get("max_exp_avg_sq")
        v_max = v_max_prev
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # adam.gradient@yes
        else:
            g = grad  # adam.gradient@no
        if not decoupled_weight_decay and weight_decay != 0:
            g = g + weight_decay * theta  # adam.l2
        if decoupled_weight_decay:
            theta = theta - lr * weight_decay * theta  # adam.decay@decoupled
        m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * g  # adam.first_moment
        v = state["exp_avg_sq"] = beta2 * v_prev + (1 - beta2) * g**2  # adam.second_moment
        if amsgrad:
            v_max = state["max_exp_avg_sq"] = torch.maximum(v_max_prev, v)  # adam.maximum@raw
        m_hat = m / (1 - beta1**t)  # adam.first_correction@both
        if amsgrad:
            v_hat = v_max / (1 - beta2**t)  # adam.second_correction@both
        else:
            v_hat = v / (1 - beta2**t)  # adam.second_correction@both
        d = torch.sqrt(v_hat) + eps  # adam.denominator
        theta = theta - lr * m_hat / d  # adam.update
        return theta
