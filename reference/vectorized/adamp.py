# GENERATED from spec/algorithms/adamp.py (dialect adamp/paper) by
#     python -m instep.reference.generate
"""AdamP, vectorized: a drop-in for torch's optimizers, many tensors a call."""

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
from instep.reference.runtime.work import Group, Layout, State, unit_axes, unit_size


class AdamP(VectorizedOptimizer):
    """AdamP: Adam with projected updates.

    The dialect is adamp/paper: arXiv:2006.08217, algorithm 2; adamp.AdamP. Whether a weight has a
    scale is asked of its units first, then of the whole.

    Args:
        params: parameters to optimize, or dicts that define groups.
        lr: learning rate, in [0,inf) (default: 0.001).
        betas: decay rates of the two moments, each in [0,1) (default: (0.9, 0.999)).
        eps: term that keeps denominators away from zero, in [0,inf) (default: 1e-08).
        weight_decay: weight decay, in [0,inf) (default: 0.0).
        delta: cosine of gradient and weight, by the root of their size, below which a weight counts
            as one without scale, in [0,inf) (default: 0.1).
        wd_ratio: share of the weight decay that such a weight gets, in [0,1] (default: 0.1).
        nesterov: look ahead along the first moment (default: False).
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
        Heo et al., AdamP: slowing down the slowdown for momentum optimizers on scale-invariant
            weights, ICLR 2021, algorithm 2, arXiv:2006.08217
    """

    _domains: ClassVar[Mapping[str, Domain]] = {
        "lr": Interval(0, inf, "[)"),
        "betas": (Interval(0, 1, "[)"), Interval(0, 1, "[)")),
        "eps": Interval(0, inf, "[)"),
        "weight_decay": Interval(0, inf, "[)"),
        "delta": Interval(0, inf, "[)"),
        "wd_ratio": Interval(0, 1, "[]"),
    }
    _older: ClassVar[Mapping[str, object]] = {
        "nesterov": False,
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
        "fused": None,
    }
    _layout = Layout(numbers=frozenset({"step"}), counter="step")
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
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float | Tensor = 1e-08,
        weight_decay: float | Tensor = 0.0,
        delta: float | Tensor = 0.1,
        wd_ratio: float | Tensor = 0.1,
        nesterov: bool = False,
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
            "delta": delta,
            "wd_ratio": wd_ratio,
            "nesterov": nesterov,
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
        delta = group["delta"]
        share = group["wd_ratio"]
        nesterov = group["nesterov"]
        maximize = group["maximize"]
        m = state["exp_avg"]
        v = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            # adamp.gradient@yes: g = -grad
            g = torch._foreach_neg(grad)
        else:
            # adamp.gradient@no: g = grad
            g = grad
        _first_moment = torch._foreach_mul(g, 1 - beta1)
        # adamp.first_moment: m = beta1 * m_prev + (1 - beta1) * g
        torch._foreach_mul_(m, beta1)
        torch._foreach_add_(m, _first_moment)
        _second_moment = torch._foreach_mul(g, g)
        # adamp.second_moment: v = beta2 * v_prev + (1 - beta2) * g**2
        torch._foreach_lerp_(v, _second_moment, 1 - beta2)
        if nesterov:
            # adamp.direction@yes: direction = beta1 * m + (1 - beta1) * g
            direction = torch._foreach_mul(m, beta1)
            torch._foreach_add_(direction, _first_moment)
        else:
            # adamp.direction@no: direction = m
            direction = m
        _scaling = math.sqrt(1 - beta2**t)
        # adamp.scaling@moments: u = direction / (torch.sqrt(v) / math.sqrt(1 - beta2**t) + eps)
        _scaling_2 = torch._foreach_sqrt(v)
        torch._foreach_div_(_scaling_2, _scaling)
        torch._foreach_add_(_scaling_2, eps)
        u = torch._foreach_div(direction, _scaling_2)
        if theta[0].dim() > 1:
            _unit_norm = torch._foreach_mul(theta, theta)
            # adamp.unit_norm: unit_lengths = torch.sqrt((theta**2).sum(dim=unit_axes(theta),
            #     keepdim=True))
            unit_lengths = tuple(
                _unit_norm_i.sum(dim=unit_axes(_unit_norm_i), keepdim=True)
                for _unit_norm_i in _unit_norm
            )
            _unit_lengths = torch._foreach_sqrt(unit_lengths)
            # adamp.norm: length = torch.sqrt((theta**2).sum())
            length = tuple(_unit_norm_i.sum() for _unit_norm_i in _unit_norm)
            torch._foreach_sqrt_(length)
            _unit_cosine = torch._foreach_mul(g, theta)
            # adamp.unit_cosine@limited: unit_cosine = (torch.abs((g *
            #     theta).sum(dim=unit_axes(theta), keepdim=True)) /
            #     (torch.sqrt((g**2).sum(dim=unit_axes(theta), keepdim=True)).clamp(min=eps) *
            #     unit_lengths.clamp(min=eps))).amax()
            unit_cosine = tuple(
                (
                    torch.abs(_unit_cosine_i.sum(dim=unit_axes(_unit_cosine_i), keepdim=True))
                    / (
                        torch.sqrt(
                            _second_moment_i.sum(dim=unit_axes(_unit_cosine_i), keepdim=True)
                        ).clamp(min=eps)
                        * _unit_lengths_i.clamp(min=eps)
                    )
                ).amax()
                for _unit_cosine_i, _second_moment_i, _unit_lengths_i in zip(
                    _unit_cosine, _second_moment, _unit_lengths, strict=True
                )
            )
            # adamp.cosine@limited: cosine = torch.abs((g * theta).sum()) /
            #     (torch.sqrt((g**2).sum()).clamp(min=eps) * length.clamp(min=eps))
            cosine = tuple(_unit_cosine_i.sum() for _unit_cosine_i in _unit_cosine)
            torch._foreach_abs_(cosine)
            _cosine = tuple(_second_moment_i.sum() for _second_moment_i in _second_moment)
            torch._foreach_sqrt_(_cosine)
            torch._foreach_clamp_min_(_cosine, eps)
            _cosine_2 = torch._foreach_clamp_min(length, eps)
            torch._foreach_mul_(_cosine, _cosine_2)
            torch._foreach_div_(cosine, _cosine)
            # adamp.unit_limit: unit_limit = delta / math.sqrt(unit_size(theta))
            unit_limit = delta / math.sqrt(unit_size(theta[0]))
            # adamp.limit: limit = delta / math.sqrt(theta.numel())
            limit = delta / math.sqrt(theta[0].numel())
            _outward = tuple(_unit_cosine < unit_limit for _unit_cosine in unit_cosine)
            # adamp.outward: outward = torch.where(unit_cosine < unit_limit, theta / (unit_lengths +
            #     eps), theta / (length + eps))
            outward = tuple(
                torch.where(_outward_i, _theta / (_unit_lengths_i + eps), _theta / (_length + eps))
                for _outward_i, _theta, _unit_lengths_i, _length in zip(
                    _outward, theta, _unit_lengths, length, strict=True
                )
            )
            _radial = torch._foreach_mul(outward, u)
            # adamp.radial: radial = torch.where(unit_cosine < unit_limit, (outward *
            #     u).sum(dim=unit_axes(theta), keepdim=True), (outward * u).sum())
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
            # adamp.projection: u = torch.where((unit_cosine < unit_limit) | (cosine < limit), u -
            #     outward * radial, u)
            u = tuple(
                torch.where(_projection_i, _u - _outward * _radial, _u)
                for _projection_i, _u, _outward, _radial in zip(
                    _projection, u, outward, radial, strict=True
                )
            )
            # adamp.decay@lr: theta = torch.where((unit_cosine < unit_limit) | (cosine < limit),
            #     theta - lr * weight_decay * share * theta, theta - lr * weight_decay * theta)
            theta = tuple(
                torch.where(
                    _projection_i,
                    _theta * (1 - lr * weight_decay * share),
                    _theta * (1 - lr * weight_decay),
                )
                for _projection_i, _theta in zip(_projection, theta, strict=True)
            )
        else:
            # adamp.decay@lr: theta = theta - lr * weight_decay * theta
            torch._foreach_mul_(theta, 1 - lr * weight_decay)
        _update = lr / (1 - beta1**t)
        # adamp.update: theta = theta - lr / (1 - beta1**t) * u
        theta = torch._foreach_add(theta, u, alpha=-_update)
        return theta

    def _update(self, theta: Tensor, grad: Tensor, state: State, group: Group) -> Tensor:
        """The equations of one parameter: `state` is written, the new parameter returned."""
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        eps = group["eps"]
        weight_decay = group["weight_decay"]
        delta = group["delta"]
        share = group["wd_ratio"]
        nesterov = group["nesterov"]
        maximize = group["maximize"]
        m_prev = state["exp_avg"]
        v_prev = state["exp_avg_sq"]
        t = state["step"] = state["step"] + 1

        if maximize:
            g = -grad  # adamp.gradient@yes
        else:
            g = grad  # adamp.gradient@no
        m = state["exp_avg"] = beta1 * m_prev + (1 - beta1) * g  # adamp.first_moment
        v = state["exp_avg_sq"] = beta2 * v_prev + (1 - beta2) * g**2  # adamp.second_moment
        if nesterov:
            direction = beta1 * m + (1 - beta1) * g  # adamp.direction@yes
        else:
            direction = m  # adamp.direction@no
        u = direction / (torch.sqrt(v) / math.sqrt(1 - beta2**t) + eps)  # adamp.scaling@moments
        if theta.dim() > 1:
            # adamp.unit_norm
            unit_lengths = torch.sqrt((theta**2).sum(dim=unit_axes(theta), keepdim=True))
            length = torch.sqrt((theta**2).sum())  # adamp.norm
            # adamp.unit_cosine@limited
            unit_cosine = (
                torch.abs((g * theta).sum(dim=unit_axes(theta), keepdim=True))
                / (
                    torch.sqrt((g**2).sum(dim=unit_axes(theta), keepdim=True)).clamp(min=eps)
                    * unit_lengths.clamp(min=eps)
                )
            ).amax()
            # adamp.cosine@limited
            cosine = torch.abs((g * theta).sum()) / (
                torch.sqrt((g**2).sum()).clamp(min=eps) * length.clamp(min=eps)
            )
            unit_limit = delta / math.sqrt(unit_size(theta))  # adamp.unit_limit
            limit = delta / math.sqrt(theta.numel())  # adamp.limit
            # adamp.outward
            outward = torch.where(
                unit_cosine < unit_limit, theta / (unit_lengths + eps), theta / (length + eps)
            )
            # adamp.radial
            radial = torch.where(
                unit_cosine < unit_limit,
                (outward * u).sum(dim=unit_axes(theta), keepdim=True),
                (outward * u).sum(),
            )
            # adamp.projection
            u = torch.where((unit_cosine < unit_limit) | (cosine < limit), u - outward * radial, u)
            # adamp.decay@lr
            theta = torch.where(
                (unit_cosine < unit_limit) | (cosine < limit),
                theta - lr * weight_decay * share * theta,
                theta - lr * weight_decay * theta,
            )
        else:
            theta = theta - lr * weight_decay * theta  # adamp.decay@lr
        theta = theta - lr / (1 - beta1**t) * u  # adamp.update
        return theta
