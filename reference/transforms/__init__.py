# GENERATED from spec/ by
#     python -m instep.reference.generate
"""Functions that change gradients in place."""

from __future__ import annotations

from instep.reference.transforms.agc import agc_
from instep.reference.transforms.centralize import centralize_
from instep.reference.transforms.clip_grad_norm import clip_grad_norm_
from instep.reference.transforms.clip_grad_value import clip_grad_value_

__all__ = ["agc_", "centralize_", "clip_grad_norm_", "clip_grad_value_"]
