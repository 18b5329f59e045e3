# GENERATED from spec/algorithms/sgd.py (dialect sgdw/decoupled) by
#     python -m instep.reference.generate
"""SGDW, vectorized: a drop-in for torch's optimizers, many tensors a call."""

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
from instep.reference.runtime.sparse import Accepts
from instep.reference.runtime.vectorized import Backend, Tensors, VectorizedOptimizer
from instep.reference.runtime.work import Group, Layout, State


class SGDW(VectorizedOptimizer):
    """Stochastic gradient descent with momentum.

    The dialect is sgdw/decoupled: arXiv:1711.05101's decay on torch's buffer. The parameter decays
    by lr times weight_decay; the buffer never sees it.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        momentum: momentum factor, in [0,inf) (default: 0.0).
        dampening: share of the gradient withheld from the buffer, after the first step (default:
            0.0).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        nesterov: look ahead along the buffer (default: False).
        maximize: ascend instead of descend (default: False).
        foreach: run on lists of tensors (True), or not (default: None).
        differentiable: let autograd run through the step (default: False).
        fused: run a fused kernel where there is one (default: None).
        backend: "auto", "foreach", "fused" or "eager"; the keywords foreach and fused must agree
            with it (default: 'auto').

    Raises:
        ValueError: a hyperparameter lies outside its domain.
        ValueError: nesterov needs a momentum above 0 and dampening 0.

    References:
        Robbins and Monro, A stochastic approximation method, 1951, doi:10.1214/aoms/1177729586
        Polyak, Some methods of speeding up the convergence of iteration methods, 1964,
            doi:10.1016/0041-5553(64)90137-5
        Sutskever et al., On the importance of initialization and momentum in deep learning, ICML
            2013, equations 1-4, http://proceedings.mlr.press/v28/sutskever13.html
        Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019, algorithm 1,
            arXiv:1711.05101
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "momentum": Interval(0, inf, "[)"),
        "dampening": Interval(-inf, inf, "()"),
        "weight_decay": Interval(0, inf, "[)"),
    }
    _older: ClassVar[Mapping[str, object]] = {
        "nesterov": False,
        "maximize": False,
        "foreach": None,
        "differentiable": False,
        "fused": None,
    }
    _layout = Layout(late=frozenset({"momentum_buffer"}))
    _accepts = Accepts(sparse=True)
    _kernel = Kernel("sgdw", ("momentum_buffer",))

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        momentum: float | Tensor = 0.0,
        dampening: float | Tensor = 0.0,
        weight_decay: float | Tensor = 0.0,
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
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults, backend)

    def _require(self, group: Group) -> None:
        if group["nesterov"] and (group["momentum"] == 0 or group["dampening"] != 0):
            raise ValueError("nesterov needs a momentum above 0 and dampening 0")

    def _require_sparse(self, group: Group) -> None:
        if group["weight_decay"] != 0:
            raise RuntimeError("weight_decay is not compatible with sparse gradients")

    def _moves_rows(self, group: Group) -> bool:
        """Whether a sparse gradient moves nothing that it does not name."""
        return bool(group["momentum"] == 0)

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        momentum = group["momentum"]
        dampening = group["dampening"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        nesterov = group["nesterov"]
        b: Any = state.get("momentum_buffer")
        _b_absent = b is None

        if maximize:
            # sgdw.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # sgdw.gradient@no: g = grad
            g = grad
        if momentum != 0:
            if _b_absent:
                # sgdw.first_buffer@torch: b = g
                b = tuple(_g.clone() for _g in g)
                state["momentum_buffer"] = b
            else:
                # sgdw.buffer@torch: b = momentum * b_prev + (1 - dampening) * g
                torch._foreach_mul_(b, momentum)
                torch._foreach_add_(b, g, alpha=1 - dampening)
            if nesterov:
                # sgdw.direction@torch: d = g + momentum * b
                d = torch._foreach_add(g, b, alpha=momentum)
            else:
                # sgdw.direction@buffer: d = b
                d = b
        else:
            # sgdw.direction: d = g
            d = g
        # sgdw.decay@decoupled: theta = theta - lr * weight_decay * theta
        torch._foreach_mul_(theta, 1 - lr * weight_decay)
        # sgdw.update: theta = theta - lr * d
        torch._foreach_add_(theta, d, alpha=-lr)
        return theta

    def _kernel_call(self, theta: Tensor, state: State, group: Group) -> Call:
        """What the host tells the kernel of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        momentum = group["momentum"]
        dampening = group["dampening"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        nesterov = group["nesterov"]

        _buffer = 0.0
        if momentum != 0 and state.get("momentum_buffer") is not None:
            _buffer = 1 - dampening
        _decay = 1 - lr * weight_decay
        _update = -lr
        return Call(
            switches={
                "MAXIMIZE": maximize,
                "MOMENTUM": momentum != 0,
                "B_ABSENT": state.get("momentum_buffer") is None,
                "NESTEROV": nesterov,
            },
            numbers=(momentum, _buffer, _decay, _update),
            made={"momentum_buffer": momentum != 0},
        )

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        momentum = group["momentum"]
        dampening = group["dampening"]
        weight_decay = group["weight_decay"]
        maximize = group["maximize"]
        nesterov = group["nesterov"]
        b_prev: Any = state.get("momentum_buffer")

        if maximize:
            g = -grad  # sgdw.gradient@yes
        else:
            g = grad  # sgdw.gradient@no
        if momentum != 0:
            if b_prev is None:
                b = state["momentum_buffer"] = g.clone()  # sgdw.first_buffer@torch
            else:
                # sgdw.buffer@torch
                b = state["momentum_buffer"] = momentum * b_prev + (1 - dampening) * g
            if nesterov:
                d = g + momentum * b  # sgdw.direction@torch
            else:
                d = b  # sgdw.direction@buffer
        else:
            d = g  # sgdw.direction
        theta = theta - lr * weight_decay * theta  # sgdw.decay@decoupled
        theta = theta - lr * d  # sgdw.update
        return theta
