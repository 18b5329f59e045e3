# GENERATED from spec/algorithms/lars.py (dialect lars/paper) by
#     python -m instep.reference.generate
"""LARS, vectorized: a drop-in for torch's optimizers, many tensors a call."""

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


class LARS(VectorizedOptimizer):
    """LARS: layerwise adaptive rate scaling.

    The dialect is lars/paper: arXiv:1708.03888, algorithm 1. The rate is in the buffer; a norm of
    zero, of which the paper does not speak, leaves the gradient unscaled.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.01).
        momentum: momentum factor, in [0,1) (default: 0.9).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        trust_coefficient: how far a ratio of norms is trusted, in [0,inf) (default: 0.001).
        nesterov: look ahead along the buffer (default: False).
        maximize: ascend instead of descend (default: False).
        foreach: run on lists of tensors (True), or not (default: None).
        differentiable: let autograd run through the step (default: False).
        fused: run a fused kernel where there is one (default: None).
        backend: "auto", "foreach", "fused" or "eager"; the keywords foreach and fused must agree
            with it (default: 'auto').

    Raises:
        ValueError: a hyperparameter lies outside its domain.
        ValueError: nesterov needs a momentum above 0.

    References:
        You, Gitman and Ginsburg, Large batch training of convolutional networks, 2017, algorithm 1,
            arXiv:1708.03888
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "momentum": Interval(0, 1, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
        "trust_coefficient": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {
        "nesterov": False,
        "maximize": False,
        "foreach": None,
        "differentiable": False,
        "fused": None,
    }
    _layout = Layout(late=frozenset({"momentum_buffer"}))
    _kernel = Kernel("lars", ("momentum_buffer",))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.01,
        momentum: float | Tensor = 0.9,
        weight_decay: float | Tensor = 0.0,
        trust_coefficient: float | Tensor = 0.001,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
        backend: Backend = "auto",
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "trust_coefficient": trust_coefficient,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults, backend)

    def _require(self, group: Group) -> None:
        if group["nesterov"] and group["momentum"] == 0:
            raise ValueError("nesterov needs a momentum above 0")

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        mu = group["momentum"]
        weight_decay = group["weight_decay"]
        trust = group["trust_coefficient"]
        maximize = group["maximize"]
        nesterov = group["nesterov"]
        b: Any = state.get("momentum_buffer")
        _b_absent = b is None

        if maximize:
            # lars.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # lars.gradient@no: g = grad
            g = grad
        # lars.weight_norm: w_norm = torch.sqrt((theta**2).sum())
        w_norm = tuple((_theta * _theta).sum() for _theta in theta)
        torch._foreach_sqrt_(w_norm)
        # lars.gradient_norm: g_norm = torch.sqrt((g**2).sum())
        g_norm = tuple((_g * _g).sum() for _g in g)
        torch._foreach_sqrt_(g_norm)
        # lars.trust_ratio@sum: trust_ratio = torch.where((w_norm > 0) & (g_norm > 0), trust *
        #     w_norm / (g_norm + weight_decay * w_norm), 1)
        trust_ratio = tuple(
            torch.where(
                (_w_norm > 0) & (_g_norm > 0),
                trust * _w_norm / torch.add(_g_norm, _w_norm, alpha=weight_decay),
                1,
            )
            for _w_norm, _g_norm in zip(w_norm, g_norm, strict=True)
        )
        # lars.direction: d = trust_ratio * (g + weight_decay * theta)
        _direction = torch._foreach_add(g, theta, alpha=weight_decay)
        torch._foreach_mul_(_direction, trust_ratio)
        if _b_absent:
            # lars.buffer@inside: b = lr * d
            b = torch._foreach_mul(_direction, lr)
            state["momentum_buffer"] = b
        else:
            # lars.buffer@inside: b = mu * b_prev + lr * d
            torch._foreach_mul_(b, mu)
            torch._foreach_add_(b, _direction, alpha=lr)
        if nesterov:
            # lars.step@inside: s = lr * d + mu * b
            torch._foreach_mul_(_direction, lr)
            torch._foreach_add_(_direction, b, alpha=mu)
            s = _direction
        else:
            # lars.step@buffer: s = b
            s = b
        # lars.update@inside: theta = theta - s
        torch._foreach_sub_(theta, s)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        mu = group["momentum"]
        weight_decay = group["weight_decay"]
        trust = group["trust_coefficient"]
        maximize = group["maximize"]
        nesterov = group["nesterov"]

        return Call(
            switches={
                "MAXIMIZE": maximize,
                "B_ABSENT": state.get("momentum_buffer") is None,
                "NESTEROV": nesterov,
            },
            numbers=(trust, weight_decay, lr, mu),
            made={"momentum_buffer": True},
        )

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        mu = group["momentum"]
        weight_decay = group["weight_decay"]
        trust = group["trust_coefficient"]
        maximize = group["maximize"]
        nesterov = group["nesterov"]
        b_prev: Any = state.get("momentum_buffer")

        if maximize:
            g = -grad  # lars.gradient@yes
        else:
            g = grad  # lars.gradient@no
        w_norm = torch.sqrt((theta**2).sum())  # lars.weight_norm
        g_norm = torch.sqrt((g**2).sum())  # lars.gradient_norm
        # lars.trust_ratio@sum
        trust_ratio = torch.where(
            (w_norm > 0) & (g_norm > 0), trust * w_norm / (g_norm + weight_decay * w_norm), 1
        )
        d = trust_ratio * (g + weight_decay * theta)  # lars.direction
        if b_prev is None:
            b = state["momentum_buffer"] = lr * d  # lars.buffer@inside
        else:
            b = state["momentum_buffer"] = mu * b_prev + lr * d  # lars.buffer@inside
        if nesterov:
            s = lr * d + mu * b  # lars.step@inside
        else:
            s = b  # lars.step@buffer
        theta = theta - s  # lars.update@inside
        return theta
