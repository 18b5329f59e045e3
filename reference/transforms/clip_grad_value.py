# GENERATED from spec/transforms/clip_grad_value.py (dialect clip-grad-value/torch) by
#     python -m instep.reference.generate
"""clip_grad_value_: one equation a line, and the function around them."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from torch import Tensor

from instep.reference.runtime.intervals import Domain, Interval
from instep.reference.runtime.lockstep import Gradient
from instep.reference.runtime.transforms import Parameters, Steps, transform_
from instep.reference.runtime.work import Group

_DOMAINS: Mapping[str, Domain] = {
    "clip_value": Interval(0, inf, "[)"),
}


def clip_grad_value_(
    parameters: Parameters,
    clip_value: float = 1.0,
) -> None:
    """Gradient clipping by value, in place.

    torch.nn.utils.clip_grad_value_. Each entry by itself, so that the direction changes.

    Args:
        parameters: one parameter, or several; those without gradient are left out.
        clip_value: largest size of an entry, in [0,inf) (default: 1.0).

    Raises:
        ValueError: an argument lies outside its domain.
    """
    settings: dict[str, float] = {
        "clip_value": clip_value,
    }
    transform_(parameters, _equations, settings, _DOMAINS)


def _equations(theta: Tensor, group: Group) -> Steps:
    """The equations of one parameter, which waits at each `yield` for all others."""
    clip_value = group["clip_value"]

    _grad = yield Gradient(theta)
    clipped = _grad.clamp(min=-clip_value).clamp(max=clip_value)  # clip-grad-value.clipped
    theta = clipped  # clip-grad-value.gradient
    return theta, None
