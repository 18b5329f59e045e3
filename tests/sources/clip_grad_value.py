"""Clipping by value: torch's, and a function written by hand."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from sources import Source


@torch.no_grad()
def limit_entries(parameters: Iterable[Tensor], clip_value: float) -> None:
    """Entries beyond the limit take its value and keep their sign."""
    for p in parameters:
        if p.grad is not None:
            beyond = p.grad.abs() > clip_value
            p.grad.copy_(torch.where(beyond, p.grad.sign() * clip_value, p.grad))


SOURCES = (
    Source("clip-grad-value/torch", "torch.nn.utils:clip_grad_value_"),
    Source("clip-grad-value/torch", "torch.nn.utils:clip_grad_value_", keywords={"foreach": False}),
    Source("clip-grad-value/torch", limit_entries, paper="Goodfellow et al. 2016, section 10.11.1"),
)
