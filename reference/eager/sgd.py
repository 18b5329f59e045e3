# GENERATED from spec/algorithms/sgd.py (dialect sgd/torch) by
#     python -m instep.reference.generate
"""SGD, the eager reference: one tensor at a time, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, ClassVar

from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime.eager import EagerOptimizer
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.sparse import Accepts
from instep.reference.runtime.work import Group, Layout, State


class SGD(EagerOptimizer):
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
    _older: ClassVar[Mapping[str, object]] = {"nesterov": False, "maximize": False}
    _layout = Layout(late=frozenset({"momentum_buffer"}))
    _accepts = Accepts(sparse=True)

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
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _require(self, group: Group) -> None:
        if group["nesterov"] and (group["momentum"] == 0 or group["dampening"] != 0):
            raise ValueError("nesterov needs a momentum above 0 and dampening 0")

    def _require_sparse(self, group: Group) -> None:
        if group["weight_decay"] != 0:
            raise RuntimeError("weight_decay is not compatible with sparse gradients")

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
