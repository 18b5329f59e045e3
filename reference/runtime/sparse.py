"""Sparse gradients and complex parameters: what a class accepts, and the lanes that it then sees.

The lanes that a gradient names are those of its coalesced indices, explicit zeros among them; a
dense gradient names all. Where nothing else can move, a step looks at these lanes alone.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from instep.reference.runtime.work import Layout, Work, keep_number, like_parameter, real


@dataclass(frozen=True, slots=True)
class Accepts:
    """What a class takes.

    Attributes:
        dense: gradients of dense layout.
        sparse: gradients of sparse layout (which hyperparameters may still exclude).
        complex: complex parameters, seen as pairs of real numbers; None if only a step refuses
            them.
        masked: whether the equations ask which lanes a gradient names, and get it as it is.
    """

    dense: bool = True
    sparse: bool = False
    complex: bool | None = True
    masked: bool = False


def spread(grad: Tensor) -> tuple[Tensor, Tensor]:
    """A gradient with all its lanes, and which of them it names."""
    if grad.layout == torch.strided:
        return real(grad), torch.ones_like(real(grad), dtype=torch.bool)
    grad = grad.coalesce()
    dense, touched = grad.to_dense(), torch.zeros_like(grad.to_dense(), dtype=torch.bool)
    _indexable(touched)[_lanes(grad)] = True
    if not grad.is_complex():
        return dense, touched
    return real(dense), touched.unsqueeze(-1).expand(*touched.shape, 2)


def narrow(work: Work, grad: Tensor, layout: Layout) -> None:
    """See the lanes alone that a sparse gradient names: copies of theta and of the state."""
    grad = grad.coalesce()
    work.lanes = _lanes(grad)
    work.whole = {
        key: value
        for key, value in work.state.items()
        if key not in layout.numbers and value.shape == work.theta.shape
    }
    work.grad = real(grad.values())
    work.theta = _indexable(work.theta)[work.lanes]
    work.state |= {key: _indexable(value)[work.lanes] for key, value in work.whole.items()}


def close_lanes(work: Work, theta: Tensor, kept: MutableMapping[str, Any], layout: Layout) -> None:
    """Store the new values of the lanes that were seen; the others are not written."""
    assert work.lanes is not None
    for key, new in work.state.items():
        if key in layout.numbers:
            keep_number(kept, key, new, layout)
        elif key in work.whole:
            whole = work.whole[key]
            _indexable(whole)[work.lanes] = new
            if key not in kept:
                kept[key] = like_parameter(whole, work)
        else:
            kept[key] = new
    _indexable(real(work.parameter))[work.lanes] = theta


def _lanes(grad: Tensor) -> tuple[Tensor, ...]:
    """The indices of a coalesced gradient; a 0-d tensor has none, and is seen as one lane."""
    return tuple(grad.indices()) or (grad.indices().new_zeros(grad.values().shape[0]),)


def _indexable(x: Tensor) -> Tensor:
    return x if x.dim() else x.unsqueeze(0)
