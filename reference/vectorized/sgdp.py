# GENERATED from spec/algorithms/sgdp.py (dialect sgdp/paper) by
#     python -m instep.reference.generate
"""SGDP, vectorized: a drop-in for torch's optimizers, many tensors a call."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from instep.reference.runtime import scalar_math as math
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.sparse import Accepts
from instep.reference.runtime.vectorized import Backend, Tensors, VectorizedOptimizer
from instep.reference.runtime.work import Group, State, unit_axes, unit_size


class SGDP(VectorizedOptimizer):
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
        foreach: run on lists of tensors (True), or not (default: None).
        differentiable: let autograd run through the step (default: False).
        fused: run a fused kernel where there is one (default: None).
        backend: "auto", "foreach", "fused" or "eager"; the keywords foreach and fused must agree
            with it (default: 'auto').

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
    _older: ClassVar[Mapping[str, object]] = {
        "nesterov": False,
        "maximize": False,
        "foreach": None,
        "differentiable": False,
        "fused": None,
    }
    _accepts = Accepts(complex=None)
    _shape_queries = (
        "ndim",
        "numel",
        "unit_size",
    )

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
            "eps": eps,
            "delta": delta,
            "wd_ratio": wd_ratio,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults, backend)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(theta)

    def _foreach_update(self, theta: Tensors, grad: Tensors, state: State, group: Group) -> Tensors:
        """The equations on lists of tensors that agree in type, step and kind of state."""
        lr = group["lr"]
        momentum = group["momentum"]
        dampening = group["dampening"]
        weight_decay = group["weight_decay"]
        eps = group["eps"]
        delta = group["delta"]
        share = group["wd_ratio"]
        nesterov = group["nesterov"]
        maximize = group["maximize"]
        b = state["momentum_buffer"]

        if maximize:
            # sgdp.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # sgdp.gradient@no: g = grad
            g = grad
        # sgdp.buffer: b = momentum * b_prev + (1 - dampening) * g
        torch._foreach_mul_(b, momentum)
        torch._foreach_add_(b, g, alpha=1 - dampening)
        if nesterov:
            # sgdp.direction@yes: direction = g + momentum * b
            direction = torch._foreach_add(g, b, alpha=momentum)
        else:
            # sgdp.direction@no: direction = b
            direction = b
        if theta[0].dim() > 1:
            _unit_norm = torch._foreach_mul(theta, theta)
            # sgdp.unit_norm: unit_lengths = torch.sqrt((theta**2).sum(dim=unit_axes(theta),
            #     keepdim=True))
            unit_lengths = tuple(
                _unit_norm_i.sum(dim=unit_axes(_unit_norm_i), keepdim=True)
                for _unit_norm_i in _unit_norm
            )
            _unit_lengths = torch._foreach_sqrt(unit_lengths)
            # sgdp.norm: length = torch.sqrt((theta**2).sum())
            length = tuple(_unit_norm_i.sum() for _unit_norm_i in _unit_norm)
            torch._foreach_sqrt_(length)
            _unit_cosine = torch._foreach_mul(g, theta)
            _unit_cosine_2 = torch._foreach_mul(g, g)
            # sgdp.unit_cosine@limited: unit_cosine = (torch.abs((g *
            #     theta).sum(dim=unit_axes(theta), keepdim=True)) /
            #     (torch.sqrt((g**2).sum(dim=unit_axes(theta), keepdim=True)).clamp(min=eps) *
            #     unit_lengths.clamp(min=eps))).amax()
            unit_cosine = tuple(
                (
                    torch.abs(_unit_cosine_i.sum(dim=unit_axes(_unit_cosine_i), keepdim=True))
                    / (
                        torch.sqrt(
                            _unit_cosine_2_i.sum(dim=unit_axes(_unit_cosine_i), keepdim=True)
                        ).clamp(min=eps)
                        * _unit_lengths_i.clamp(min=eps)
                    )
                ).amax()
                for _unit_cosine_i, _unit_cosine_2_i, _unit_lengths_i in zip(
                    _unit_cosine, _unit_cosine_2, _unit_lengths, strict=True
                )
            )
            # sgdp.cosine@limited: cosine = torch.abs((g * theta).sum()) /
            #     (torch.sqrt((g**2).sum()).clamp(min=eps) * length.clamp(min=eps))
            cosine = tuple(_unit_cosine_i.sum() for _unit_cosine_i in _unit_cosine)
            torch._foreach_abs_(cosine)
            _cosine = tuple(_unit_cosine_2_i.sum() for _unit_cosine_2_i in _unit_cosine_2)
            torch._foreach_sqrt_(_cosine)
            torch._foreach_clamp_min_(_cosine, eps)
            _cosine_2 = torch._foreach_clamp_min(length, eps)
            torch._foreach_mul_(_cosine, _cosine_2)
            torch._foreach_div_(cosine, _cosine)
            # sgdp.unit_limit: unit_limit = delta / math.sqrt(unit_size(theta))
            unit_limit = delta / math.sqrt(unit_size(theta[0]))
            # sgdp.limit: limit = delta / math.sqrt(theta.numel())
            limit = delta / math.sqrt(theta[0].numel())
            _outward = tuple(_unit_cosine < unit_limit for _unit_cosine in unit_cosine)
            # sgdp.outward: outward = torch.where(unit_cosine < unit_limit, theta / (unit_lengths +
            #     eps), theta / (length + eps))
            outward = tuple(
                torch.where(_outward_i, _theta / (_unit_lengths_i + eps), _theta / (_length + eps))
                for _outward_i, _theta, _unit_lengths_i, _length in zip(
                    _outward, theta, _unit_lengths, length, strict=True
                )
            )
            _radial = torch._foreach_mul(outward, direction)
            # sgdp.radial: radial = torch.where(unit_cosine < unit_limit, (outward *
            #     direction).sum(dim=unit_axes(theta), keepdim=True), (outward * direction).sum())
            radial = tuple(
                torch.where(
                    _outward_i,
                    _radial_i.sum(dim=unit_axes(_radial_i), keepdim=True),
                    _radial_i.sum(),
                )
                for _outward_i, _radial_i in zip(_outward, _radial, strict=True)
            )
            _projection = tuple(
                (_unit_cosine < unit_limit) | (_cosine < limit)
                for _unit_cosine, _cosine in zip(unit_cosine, cosine, strict=True)
            )
            # sgdp.projection: direction = torch.where((unit_cosine < unit_limit) | (cosine <
            #     limit), direction - outward * radial, direction)
            direction = tuple(
                torch.where(_projection_i, _direction - _outward * _radial, _direction)
                for _projection_i, _direction, _outward, _radial in zip(
                    _projection, direction, outward, radial, strict=True
                )
            )
            # sgdp.decay@lr: theta = torch.where((unit_cosine < unit_limit) | (cosine < limit),
            #     theta - lr * weight_decay * share / (1 - momentum) * theta, theta - lr *
            #     weight_decay / (1 - momentum) * theta)
            theta = tuple(
                torch.where(
                    _projection_i,
                    _theta * (1 - lr * weight_decay * share / (1 - momentum)),
                    _theta * (1 - lr * weight_decay / (1 - momentum)),
                )
                for _projection_i, _theta in zip(_projection, theta, strict=True)
            )
        else:
            # sgdp.decay@lr: theta = theta - lr * weight_decay / (1 - momentum) * theta
            torch._foreach_mul_(theta, 1 - lr * weight_decay / (1 - momentum))
        # sgdp.update: theta = theta - lr * direction
        theta = torch._foreach_add(theta, direction, alpha=-lr)
        return theta

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
