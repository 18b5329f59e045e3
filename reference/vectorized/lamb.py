# GENERATED from spec/algorithms/lamb.py (dialect lamb/paper) by
#     python -m instep.reference.generate
"""LAMB, vectorized: a drop-in for torch's optimizers, many tensors a call."""

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


class LAMB(VectorizedOptimizer):
    """LAMB: layerwise adaptive moments for large batches.

    The dialect is lamb/paper: arXiv:1904.00962, algorithm 2. The ratio is taken of the corrected
    direction with the decay in it; a norm of zero makes it one.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        betas: decay rates of the two moments, each in [0,1) (default: (0.9, 0.999)).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-06).
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
        You et al., Large batch optimization for deep learning: training BERT in 76 minutes, ICLR
            2020, algorithm 2, arXiv:1904.00962
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
    _kernel = Kernel("lamb", ("exp_avg", "exp_avg_sq"))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float | Tensor = 1e-06,
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
        if "exp_avg_sq" not in state:
            state["exp_avg_sq"] = torch.zeros_like(theta)

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        m = state["exp_avg"]
        v = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            # lamb.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # lamb.gradient@no: g = grad
            g = grad
        # lamb.first_moment: m = beta1 * m_prev + (1 - beta1) * g
        torch._foreach_lerp_(m, g, 1 - beta1)
        # lamb.second_moment: v = beta2 * v_prev + (1 - beta2) * g**2
        torch._foreach_mul_(v, beta2)
        torch._foreach_addcmul_(v, g, g, value=1 - beta2)
        _first_correction = 1 - beta1**t
        _second_correction = 1 - beta2**t
        # lamb.first_correction@inside: m_hat = m / (1 - beta1**t)
        # lamb.second_correction@inside: v_hat = v / (1 - beta2**t)
        # lamb.direction@inside: r = m_hat / (torch.sqrt(v_hat) + eps) + weight_decay * theta
        r = torch._foreach_div(m, _first_correction)
        _direction = torch._foreach_sqrt(v)
        torch._foreach_div_(_direction, math.sqrt(_second_correction))
        torch._foreach_add_(_direction, eps)
        torch._foreach_div_(r, _direction)
        torch._foreach_add_(r, theta, alpha=weight_decay)
        # lamb.weight_norm@plain: weight_norm = torch.sqrt((theta**2).sum())
        weight_norm = tuple((_theta * _theta).sum() for _theta in theta)
        torch._foreach_sqrt_(weight_norm)
        # lamb.direction_norm: direction_norm = torch.sqrt((r**2).sum())
        direction_norm = tuple((_r * _r).sum() for _r in r)
        torch._foreach_sqrt_(direction_norm)
        # lamb.trust_ratio@no: trust_ratio = torch.where((weight_norm > 0) & (direction_norm > 0),
        #     weight_norm / direction_norm, 1)
        trust_ratio = tuple(
            torch.where(
                (_weight_norm > 0) & (_direction_norm > 0), _weight_norm / _direction_norm, 1
            )
            for _weight_norm, _direction_norm in zip(weight_norm, direction_norm, strict=True)
        )
        # lamb.scaled_direction: r = trust_ratio * r
        torch._foreach_mul_(r, trust_ratio)
        # lamb.step_size: step_size = lr
        step_size = lr
        # lamb.update: theta = theta - step_size * r
        torch._foreach_add_(theta, r, alpha=-step_size)
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
        _second_moment = 1 - beta2
        _first_correction = 1 - beta1**t
        _second_correction = 1 - beta2**t
        _direction = math.sqrt(_second_correction)
        step_size = lr
        _update = -step_size
        return Call(
            switches={"MAXIMIZE": maximize},
            numbers=(
                _first_moment,
                beta2,
                _second_moment,
                _first_correction,
                _direction,
                eps,
                weight_decay,
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
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # lamb.gradient@yes
        else:
            g = grad  # lamb.gradient@no
        m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * g  # lamb.first_moment
        v = state["exp_avg_sq"] = beta2 * v_prev + (1 - beta2) * g**2  # lamb.second_moment
        m_hat = m / (1 - beta1**t)  # lamb.first_correction@inside
        v_hat = v / (1 - beta2**t)  # lamb.second_correction@inside
        r = m_hat / (torch.sqrt(v_hat) + eps) + weight_decay * theta  # lamb.direction@inside
        weight_norm = torch.sqrt((theta**2).sum())  # lamb.weight_norm@plain
        direction_norm = torch.sqrt((r**2).sum())  # lamb.direction_norm
        # lamb.trust_ratio@no
        trust_ratio = torch.where(
            (weight_norm > 0) & (direction_norm > 0), weight_norm / direction_norm, 1
        )
        r = trust_ratio * r  # lamb.scaled_direction
        step_size = lr  # lamb.step_size
        theta = theta - step_size * r  # lamb.update
        return theta
