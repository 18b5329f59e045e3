"""Adaptive clipping: a package's function, and the paper's equation by hand."""

from __future__ import annotations

from collections.abc import Iterable

import pytorch_optimizer
import torch
from torch import Tensor

from sources import Source


@torch.no_grad()
def clip_each(
    parameters: Iterable[Tensor], agc_clip_val: float = 1e-2, agc_eps: float = 1e-3
) -> None:
    """pytorch_optimizer's function, for all parameters."""
    for p in parameters:
        if p.grad is not None:
            p.grad.copy_(pytorch_optimizer.agc(p, p.grad, agc_eps, agc_clip_val))


@torch.no_grad()
def clip_units(parameters: Iterable[Tensor], clip_factor: float = 1e-2, eps: float = 1e-3) -> None:
    """G_i <- lambda |W_i|* / |G_i| G_i where |G_i| / |W_i|* > lambda, unit by unit."""
    for p in parameters:
        if p.grad is None:
            continue
        units = zip(p, p.grad, strict=True) if p.dim() > 1 else [(p, p.grad)]
        for weight, gradient in units:
            allowed = clip_factor * max(float((weight**2).sum()) ** 0.5, eps)
            norm = float((gradient**2).sum()) ** 0.5
            if norm > allowed:
                gradient *= allowed / max(norm, 1e-6)


SOURCES = (
    Source("agc/paper", clip_each, package="pytorch_optimizer"),
    Source("agc/paper", clip_units, paper="arXiv:2102.06171, equation 3"),
)
