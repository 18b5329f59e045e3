"""Gradient centralization: a package's function, and the paper's equation by hand."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from pytorch_optimizer.optimizer.gradient_centralization import centralize_gradient
from torch import Tensor

from sources import Source


def centralize_all(parameters: Iterable[Tensor]) -> None:
    """pytorch_optimizer's function, for all parameters."""
    for p in parameters:
        if p.grad is not None:
            centralize_gradient(p.grad)


@torch.no_grad()
def project_units(parameters: Iterable[Tensor]) -> None:
    """P grad with P = I - e e^T, e the unit vector along (1, ..., 1), unit by unit."""
    for p in parameters:
        if p.grad is not None and p.dim() > 1:
            for unit in p.grad:
                unit -= unit.mean()


SOURCES = (
    Source("centralize/paper", centralize_all, package="pytorch_optimizer"),
    Source("centralize/paper", project_units, paper="arXiv:2004.01461, equation 1"),
)
