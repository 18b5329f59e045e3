# GENERATED from spec/algorithms/adamp.py (dialect adamp/paper) by
#     python -m instep.reference.generate
"""AdamP, the eager reference: one tensor at a time, one equation a line."""

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
from instep.reference.runtime.work import Group, Layout, State, unit_axes, unit_size


class AdamP(EagerOptimizer):
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
    _older: ClassVar[Mapping[str, object]] = {"nesterov": False, "maximize": False}
    _layout = Layout(numbers=frozenset({"step"}), counter="step")
    _accepts = Accepts(complex=None)

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
        }
        super().__init__(params, defaults)

    def _initialize(self, state: State, theta: Tensor, group: Group) -> None:
        state.setdefault("step", 0.0)
        if "exp_avg" not in state:
            state["exp_avg"] = torch.zeros_like(theta)
        if "exp_avg_sq" not in state:
            state["exp_avg_sq"] = torch.zeros_like(theta)

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
