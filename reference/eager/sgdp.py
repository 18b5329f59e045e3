# GENERATED from spec/algorithms/sgdp.py (dialect sgdp/paper) by
#     python -m instep.reference.generate
"""SGDP, the eager reference: one tensor at a time, one equation a line."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime import scalar_math as math
from instep.reference.runtime.eager import EagerOptimizer
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.sparse import Accepts
from instep.reference.runtime.work import Group, State, unit_axes, unit_size


class SGDP(EagerOptimizer):
    """SGDP: SGD with projected updates.

    The dialect is sgdp/paper: arXiv:2006.08217, algorithm 1; pytorch_optimizer.SGDP. The step is
    projected, the buffer is not.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        momentum: momentum factor, in [0,1) (default: 0.0).
        dampening: share of the gradient withheld from the buffer (default: 0.0).
        weight_decay: weight decay, of a step without momentum, in [0,inf) (default: 0.0).
        eps: term that keeps denominators away from zero, in [0,inf) (default: 1e-08).
        delta: cosine of gradient and weight, by the root of their size, below which a weight counts
            as one without scale, in [0,inf) (default: 0.1).
        wd_ratio: share of the weight decay that such a weight gets, in [0,1] (default: 0.1).
        nesterov: look ahead along the buffer (default: False).
        maximize: ascend instead of descend (default: False).

    Raises:
        ValueError: a hyperparameter lies outside its domain.

    References:
        Heo et al., AdamP: slowing down the slowdown for momentum optimizers on scale-invariant
            weights, ICLR 2021, algorithm 1, arXiv:2006.08217
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "momentum": Interval(0, 1, "[)"),
        "dampening": Interval(-inf, inf, "()"),
        "weight_decay": Interval(0, inf, "[)"),
        "eps": Interval(0, inf, "[)"),
        "delta": Interval(0, inf, "[)"),
        "wd_ratio": Interval(0, 1, "[]"),
    }
    _older: ClassVar[Mapping[str, object]] = {"nesterov": False, "maximize": False}
    _accepts = Accepts(complex=None)

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 0.001,
        momentum: float | Tensor = 0.0,
        dampening: float | Tensor = 0.0,
        weight_decay: float | Tensor = 0.0,
        eps: float | Tensor = 1e-08,
        delta: float | Tensor = 0.1,
        wd_ratio: float | Tensor = 0.1,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "eps": eps,
            "delta": delta,
            "wd_ratio": wd_ratio,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(theta)

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        momentum = group["momentum"]
        dampening = group["dampening"]
        weight_decay = group["weight_decay"]
        eps = group["eps"]
        delta = group["delta"]
        share = group["wd_ratio"]
        nesterov = group["nesterov"]
        maximize = group["maximize"]
        b_prev = state["momentum_buffer"]

        if maximize:
            g = -grad  # sgdp.gradient@yes
        else:
            g = grad  # sgdp.gradient@no
        b = state["momentum_buffer"] = momentum * b_prev + (1 - dampening) * g  # sgdp.buffer
        if nesterov:
            direction = g + momentum * b  # sgdp.direction@yes
        else:
            direction = b  # sgdp.direction@no
        if theta.dim() > 1:
            # sgdp.unit_norm
            unit_lengths = torch.sqrt((theta**2).sum(dim=unit_axes(theta), keepdim=True))
            length = torch.sqrt((theta**2).sum())  # sgdp.norm
            # sgdp.unit_cosine@limited
            unit_cosine = (
                torch.abs((g * theta).sum(dim=unit_axes(theta), keepdim=True))
                / (
                    torch.sqrt((g**2).sum(dim=unit_axes(theta), keepdim=True)).clamp(min=eps)
                    * unit_lengths.clamp(min=eps)
                )
            ).amax()
            # sgdp.cosine@limited
            cosine = torch.abs((g * theta).sum()) / (
                torch.sqrt((g**2).sum()).clamp(min=eps) * length.clamp(min=eps)
            )
            unit_limit = delta / math.sqrt(unit_size(theta))  # sgdp.unit_limit
            limit = delta / math.sqrt(theta.numel())  # sgdp.limit
            # sgdp.outward
            outward = torch.where(
                unit_cosine < unit_limit, theta / (unit_lengths + eps), theta / (length + eps)
            )
            # sgdp.radial
            radial = torch.where(
                unit_cosine < unit_limit,
                (outward * direction).sum(dim=unit_axes(theta), keepdim=True),
                (outward * direction).sum(),
            )
            # sgdp.projection
            direction = torch.where(
                (unit_cosine < unit_limit) | (cosine < limit),
                direction - outward * radial,
                direction,
            )
            # sgdp.decay@lr
            theta = torch.where(
                (unit_cosine < unit_limit) | (cosine < limit),
                theta - lr * weight_decay * share / (1 - momentum) * theta,
                theta - lr * weight_decay / (1 - momentum) * theta,
            )
        else:
            theta = theta - lr * weight_decay / (1 - momentum) * theta  # sgdp.decay@lr
        theta = theta - lr * direction  # sgdp.update
        return theta
