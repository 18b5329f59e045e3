# GENERATED from spec/transforms/agc.py (dialect agc/paper) by
#     python -m instep.reference.generate
"""agc_: one equation a line, and the function around them."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

import torch
from torch import Tensor

from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.lockstep import Gradient
from instep.reference.runtime.transforms import Parameters, Steps, transform_
from instep.reference.runtime.work import Group, unit_axes

_DOMAINS: Mapping[str, Domain] = {
    "clip_factor": Interval(0, inf, "[)"),
    "eps": Interval(0, inf, "()"),
}


def agc_(
    parameters: Parameters,
    clip_factor: float = 0.01,
    eps: float = 0.001,
) -> None:
    """AGC: adaptive gradient clipping, in place.

    arXiv:2102.06171, equation 3; timm, pytorch_optimizer. A unit is a row of weights or a filter; a
    vector is one unit.

    Args:
        parameters: one parameter, or several; those without gradient are left out.
        clip_factor: largest norm of a unit's gradient, in norms of its weights, in [0,inf)
            (default: 0.01).
        eps: smallest norm that a unit is taken to have, in (0,inf) (default: 0.001).

    Raises:
        ValueError: an argument lies outside its domain.
    """
    settings: dict[str, float] = {
        "clip_factor": clip_factor,
        "eps": eps,
    }
    transform_(parameters, _equations, settings, _DOMAINS)


def _equations(theta: Tensor, group: Group) -> Steps:
    """The equations of one parameter, which waits at each `yield` for all others."""
    clip_factor = group["clip_factor"]
    eps = group["eps"]

    # agc.weight_norm
    weight_norm = torch.sqrt((theta**2).sum(dim=unit_axes(theta), keepdim=True)).clamp(min=eps)
    _grad = yield Gradient(theta)
    # agc.gradient_norm
    gradient_norm = torch.sqrt((_grad**2).sum(dim=unit_axes(theta), keepdim=True))
    limit = clip_factor * weight_norm  # agc.limit
    # agc.clipped
    clipped = torch.where(gradient_norm > limit, _grad * (limit / gradient_norm), _grad)
    theta = clipped  # agc.gradient
    return theta, None
