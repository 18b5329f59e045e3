# GENERATED from spec/algorithms/sgd.py (dialect sgd/torch) by
#     python -m instep.reference.generate
"""SGD, vectorized: a drop-in for torch's optimizers, many tensors a call."""

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


class SGD(VectorizedOptimizer):
    """Stochastic gradient descent with momentum.

    The dialect is sgd/torch: torch.optim.SGD. The learning rate stands outside the buffer, which
    starts as the first gradient.

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
    _kernel = Kernel("sgd", ("momentum_buffer",))

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
            # sgd.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # sgd.gradient@no: g = grad
            g = grad
        if weight_decay != 0:
            # sgd.l2: g = g + weight_decay * theta
            g = torch._foreach_add(g, theta, alpha=weight_decay)
        if momentum != 0:
            if _b_absent:
                # sgd.first_buffer@torch: b = g
                b = tuple(_g.clone() for _g in g)
                state["momentum_buffer"] = b
            else:
                # sgd.buffer@torch: b = momentum * b_prev + (1 - dampening) * g
                torch._foreach_mul_(b, momentum)
                torch._foreach_add_(b, g, alpha=1 - dampening)
            if nesterov:
                # sgd.direction@torch: d = g + momentum * b
                d = torch._foreach_add(g, b, alpha=momentum)
            else:
                # sgd.direction@buffer: d = b
                d = b
        else:
            # sgd.direction: d = g
            d = g
        # sgd.update: theta = theta - lr * d
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
        _update = -lr
        return Call(
            switches={
                "MAXIMIZE": maximize,
                "WEIGHT_DECAY": weight_decay != 0,
                "MOMENTUM": momentum != 0,
                "B_ABSENT": state.get("momentum_buffer") is None,
                "NESTEROV": nesterov,
            },
            numbers=(weight_decay, momentum, _buffer, _update),
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
            g = -grad  # sgd.gradient@yes
        else:
            g = grad  # sgd.gradient@no
        if weight_decay != 0:
            g = g + weight_decay * theta  # sgd.l2
        if momentum != 0:
            if b_prev is None:
                b = state["momentum_buffer"] = g.clone()  # sgd.first_buffer@torch
            else:
                # sgd.buffer@torch
                b = state["momentum_buffer"] = momentum * b_prev + (1 - dampening) * g
            if nesterov:
                d = g + momentum * b  # sgd.direction@torch
            else:
                d = b  # sgd.direction@buffer
        else:
            d = g  # sgd.direction
        theta = theta - lr * d  # sgd.update
        return theta
