# GENERATED from spec/transforms/clip_grad_norm.py (dialect clip-grad-norm/torch) by
#     python -m instep.reference.generate
"""clip_grad_norm_: one equation a line, and the function around them."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

import torch
from torch import Tensor

from instep.reference.runtime import scalar_math as math
from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.lockstep import Gradient, Sum
from instep.reference.runtime.transforms import Parameters, Steps, transform_
from instep.reference.runtime.work import Group

_DOMAINS: Mapping[str, Domain] = {
    "max_norm": Interval(0, inf, "[)"),
    "norm_type": Interval(0, inf, "()"),
}


def clip_grad_norm_(
    parameters: Parameters,
    max_norm: float = 1.0,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Gradient clipping by global norm, in place.

    torch.nn.utils.clip_grad_norm_. 1e-6 is added to the norm, so that a gradient at the limit
    shrinks a little.

    Args:
        parameters: one parameter, or several; those without gradient are left out.
        max_norm: largest norm that a gradient keeps, in [0,inf) (default: 1.0).
        norm_type: order of the norm, in (0,inf) (default: 2.0).
        error_if_nonfinite: refuse gradients whose norm is infinite or NaN (default: False).

    Returns:
        The total norm, before anything changed.

    Raises:
        ValueError: an argument lies outside its domain.
        RuntimeError: the norm of the gradients is infinite or NaN; nothing has changed.
    """
    settings: dict[str, float] = {
        "max_norm": max_norm,
        "norm_type": norm_type,
    }
    refusal = "the norm of the gradients is infinite or NaN" if error_if_nonfinite else ""
    return transform_(parameters, _equations, settings, _DOMAINS, refusal)


def _equations(theta: Tensor, group: Group) -> Steps:
    """The equations of one parameter, which waits at each `yield` for all others."""
    max_norm = group["max_norm"]
    order = group["norm_type"]

    _grad = yield Gradient(theta)
    _sum = yield Sum((torch.abs(_grad) ** order).sum())
    total_norm = _sum ** (1 / order)  # clip-grad-norm.total_norm
    # clip-grad-norm.coefficient@added
    coefficient = math.minimum(max_norm / (total_norm + 1e-06), 1)
    clipped = _grad * coefficient  # clip-grad-norm.clipped
    theta = clipped  # clip-grad-norm.gradient
    return theta, total_norm
