"""Clipping by global norm: torch's, and functions written by hand."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from sources import Source


@torch.no_grad()
def clip_by_flat_norm(
    parameters: Iterable[Tensor], max_norm: float, norm_type: float = 2.0
) -> Tensor:
    """Pascanu et al. 2013, algorithm 1: g <- threshold / |g| * g if |g| >= threshold."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in gradients]) if gradients else torch.zeros(1)
    norm = flat.abs().pow(norm_type).sum().pow(1 / norm_type)
    if norm >= max_norm:
        for g in gradients:
            g.mul_(max_norm / norm)
    return norm


@torch.no_grad()
def clip_with_margin(
    parameters: Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> float:
    """The formula of torch's documentation, parameter by parameter."""
    kept = [p for p in parameters if p.grad is not None]
    if math.isinf(norm_type):
        largest = [p.grad.abs().max().double() for p in kept]
        total = float(torch.stack(largest).max()) if kept else 0.0  # Python's max loses a NaN
    else:
        parts = sum(float((p.grad.abs() ** norm_type).sum()) for p in kept)
        total = parts ** (1 / norm_type)
    if error_if_nonfinite and not math.isfinite(total):
        raise RuntimeError("the norm is not finite")
    scale = max_norm / (total + 1e-6)
    for p in kept:
        p.grad *= scale if scale < 1 else 1.0
    return total


INF = {"norm_type": math.inf}
SOURCES = (
    Source("clip-grad-norm/torch", "torch.nn.utils:clip_grad_norm_"),
    Source("clip-grad-norm/torch", "torch.nn.utils:clip_grad_norm_", keywords={"foreach": False}),
    Source("clip-grad-norm/torch", "torch.nn.utils:clip_grad_norm_", keywords={"norm_type": 3.0}),
    Source("clip-grad-norm/torch", clip_with_margin, paper="torch's documentation"),
    Source("clip-grad-norm/max", "torch.nn.utils:clip_grad_norm_", keywords=INF),
    Source("clip-grad-norm/max", clip_with_margin, keywords=INF, paper="torch's documentation"),
    Source("clip-grad-norm/paper", clip_by_flat_norm, paper="arXiv:1211.5063, algorithm 1"),
)
