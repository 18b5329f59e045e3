# GENERATED from spec/transforms/centralize.py (dialect centralize/paper) by
#     python -m instep.reference.generate
"""centralize_: one equation a line, and the function around them."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from instep.reference.runtime.intervals import Domain
from instep.reference.runtime.lockstep import Gradient
from instep.reference.runtime.transforms import Parameters, Steps, transform_
from instep.reference.runtime.work import Group, unit_axes

_DOMAINS: Mapping[str, Domain] = {}


def centralize_(
    parameters: Parameters,
) -> None:
    """Gradient centralization, in place.

    arXiv:2004.01461, equation 1. A unit is a row of weights or a filter; vectors are left as they
    are.

    Args:
        parameters: one parameter, or several; those without gradient are left out.

    Raises:
        ValueError: an argument lies outside its domain.
    """
    settings: dict[str, float] = {}
    transform_(parameters, _equations, settings, _DOMAINS)


def _equations(theta: Tensor, group: Group) -> Steps:
    """The equations of one parameter, which waits at each `yield` for all others."""
    _grad = yield Gradient(theta)
    if theta.dim() > 1:
        # centralize.centralized
        centralized = _grad - _grad.mean(dim=unit_axes(theta), keepdim=True)
    else:
        centralized = _grad  # centralize.centralized@vector
    theta = centralized  # centralize.gradient
    return theta, None
