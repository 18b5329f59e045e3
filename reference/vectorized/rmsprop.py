# GENERATED from spec/algorithms/rmsprop.py (dialect rmsprop/torch) by
#     python -m instep.reference.generate
"""RMSprop, vectorized: a drop-in for torch's optimizers, many tensors a call."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.kernels.launch import Call
from instep.reference.runtime.kernels.library import Kernel
from instep.reference.runtime.vectorized import Backend, Tensors, VectorizedOptimizer
from instep.reference.runtime.work import Group, Layout, State


class RMSprop(VectorizedOptimizer):
    """RMSprop.

    The dialect is rmsprop/torch: torch.optim.RMSprop. eps is added to the root; the learning rate
    stands outside the buffer.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.01).
        alpha: decay rate of the mean square; above 1 the mean can turn negative, in [0,inf)
            (default: 0.99).
        eps: term that keeps the denominator away from zero, in [0,inf) (default: 1e-08).
        weight_decay: L2 penalty, in [0,inf) (default: 0.0).
        momentum: momentum factor, in [0,inf) (default: 0.0).
        centered: divide by a running standard deviation instead (default: False).
        capturable: keep the step counter and tensor lr on the device (default: False).
        foreach: run on lists of tensors (True), or not (default: None).
        maximize: ascend instead of descend (default: False).
        differentiable: let autograd run through the step (default: False).
        backend: "auto", "foreach", "fused" or "eager"; the keywords foreach and fused must agree
            with it (default: 'auto').

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Tieleman and Hinton, Lecture 6.5: rmsprop, Coursera, 2012,
            https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf
        Graves, Generating sequences with recurrent neural networks, 2013, equations 38-45,
            arXiv:1308.0850
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "alpha": Interval(0, inf, "[)"),
        "eps": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
        "momentum": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {
        "centered": False,
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
    }
    _layout = Layout(
        numbers=frozenset({"step"}), counter="step", late=frozenset({"momentum_buffer"})
    )
    _kernel = Kernel("rmsprop", ("square_avg", "momentum_buffer", "grad_avg"))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.01,
        alpha: float | Tensor = 0.99,
        eps: float | Tensor = 1e-08,
        weight_decay: float | Tensor = 0.0,
        momentum: float | Tensor = 0.0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        *,
        backend: Backend = "auto",
    ) -> None:
        defaults = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults, backend)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        state.setdefault("step", 0.0)
        if "square_avg" not in state:
            state["square_avg"] = torch.zeros_like(theta)
        if group["centered"] and "grad_avg" not in state:
            state["grad_avg"] = torch.zeros_like(theta)

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        alpha = group["alpha"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        momentum = group["momentum"]
        centered = group["centered"]
        maximize = group["maximize"]
        v = state["square_avg"]
        b: Any = state.get("momentum_buffer")
        _b_absent = b is None
        g_avg: Any = state.get("grad_avg")
        state["step"] = state["step"] + 1

        if maximize:
            # rmsprop.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # rmsprop.gradient@no: g = grad
            g = grad
        if weight_decay != 0:
            # rmsprop.l2: g = g + weight_decay * theta
            g = torch._foreach_add(g, theta, alpha=weight_decay)
        # rmsprop.mean_square: v = alpha * v_prev + (1 - alpha) * g**2
        torch._foreach_mul_(v, alpha)
        torch._foreach_addcmul_(v, g, g, value=1 - alpha)
        if centered:
            # rmsprop.mean_gradient: g_avg = alpha * g_avg_prev + (1 - alpha) * g
            torch._foreach_lerp_(g_avg, g, 1 - alpha)
            # rmsprop.variance@plain: n = v - g_avg**2
            _variance = torch._foreach_mul(g_avg, g_avg)
            n = torch._foreach_sub(v, _variance)
        else:
            # rmsprop.variance: n = v
            n = v
        # rmsprop.denominator@outside: d = torch.sqrt(n) + eps
        d = torch._foreach_sqrt(n)
        torch._foreach_add_(d, eps)
        if momentum > 0:
            # rmsprop.direction@outside: u = g / d
            u = torch._foreach_div(g, d)
            if _b_absent:
                # rmsprop.buffer@first: b = u
                b = tuple(_u.clone() for _u in u)
                state["momentum_buffer"] = b
            else:
                # rmsprop.buffer: b = momentum * b_prev + u
                torch._foreach_mul_(b, momentum)
                torch._foreach_add_(b, u)
            # rmsprop.update@outside: theta = theta - lr * b
            torch._foreach_add_(theta, b, alpha=-lr)
        else:
            # rmsprop.update@plain: theta = theta - lr * g / d
            torch._foreach_addcdiv_(theta, g, d, value=-lr)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        alpha = group["alpha"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        momentum = group["momentum"]
        centered = group["centered"]
        maximize = group["maximize"]
        state["step"] = state["step"] + 1

        _mean_square = 1 - alpha
        _mean_gradient = 0.0
        if centered:
            _mean_gradient = 1 - alpha
        _update = _update_2 = 0.0
        if momentum > 0:
            _update = -lr
        else:
            _update_2 = -lr
        return Call(
            switches={
                "MAXIMIZE": maximize,
                "WEIGHT_DECAY": weight_decay != 0,
                "CENTERED": centered,
                "MOMENTUM_ABOVE_0": momentum > 0,
                "B_ABSENT": state.get("momentum_buffer") is None,
            },
            numbers=(
                weight_decay,
                alpha,
                _mean_square,
                _mean_gradient,
                eps,
                momentum,
                _update,
                _update_2,
            ),
            made={"momentum_buffer": momentum > 0},
        )

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        alpha = group["alpha"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        momentum = group["momentum"]
        centered = group["centered"]
        maximize = group["maximize"]
        v_prev = state["square_avg"]
        b_prev: Any = state.get("momentum_buffer")
        g_avg_prev: Any = state.get("grad_avg")
        state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # rmsprop.gradient@yes
        else:
            g = grad  # rmsprop.gradient@no
        if weight_decay != 0:
            g = g + weight_decay * theta  # rmsprop.l2
        v = state["square_avg"] = alpha * v_prev + (1 - alpha) * g**2  # rmsprop.mean_square
        if centered:
            # rmsprop.mean_gradient
            g_avg = state["grad_avg"] = alpha * g_avg_prev + (1 - alpha) * g
            n = v - g_avg**2  # rmsprop.variance@plain
        else:
            n = v  # rmsprop.variance
        d = torch.sqrt(n) + eps  # rmsprop.denominator@outside
        if momentum > 0:
            u = g / d  # rmsprop.direction@outside
            if b_prev is None:
                b = state["momentum_buffer"] = u.clone()  # rmsprop.buffer@first
            else:
                b = state["momentum_buffer"] = momentum * b_prev + u  # rmsprop.buffer
            theta = theta - lr * b  # rmsprop.update@outside
        else:
            theta = theta - lr * g / d  # rmsprop.update@plain
        return theta
