"""Sparse gradients as backward() leaves them: unsorted, an index twice, rows or single lanes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch


def gradient_tensor(g: Any, named: Any | None, dtype: torch.dtype) -> torch.Tensor:
    """A gradient in a type; where lanes are named, a sparse one that names exactly these.

    Rows (`named` has trailing axes of length one) give a hybrid tensor. An entry that can be halved
    exactly stands there twice.
    """
    values = torch.tensor(g).to(dtype)
    if named is None:
        return values
    where = torch.tensor(_indices(named))  # memory of its own, as backward() leaves it
    chosen = values[tuple(where)] if len(where) else values.expand(where.shape[1])
    where, chosen = _doubled(where, chosen)
    return torch.sparse_coo_tensor(where, chosen, values.shape, check_invariants=True)


def rewritten(old: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
    """The next gradient in the place of the last, of which nothing is left where it was kept."""
    if old.layout == torch.strided:
        old.detach().copy_(new)
        return old
    old._values().fill_(1)
    return new


def same(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Whether two gradients are equal, sparse ones entry by entry."""
    if a.layout != b.layout or a.layout == torch.strided:
        return a.layout == b.layout and torch.equal(a, b)
    indices, values = torch.equal(a._indices(), b._indices()), torch.equal(a._values(), b._values())
    return indices and values and a.is_coalesced() == b.is_coalesced()


def _indices(named: Any) -> Any:
    """Indices of the named lanes or rows, last ones first."""
    by_rows = np.ndim(named) > 1 and set(np.shape(named)[1:]) == {1}
    flat = np.reshape(named, len(named)) if by_rows else named
    return np.argwhere(flat)[::-1].T.copy()


def _doubled(where: torch.Tensor, chosen: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The same sum with one index twice."""
    halves = chosen / 2
    fine = halves + halves == chosen
    fine = fine.flatten(1).all(1) if fine.dim() > 1 else fine
    if not fine.any():
        return where, chosen
    k = int(fine.nonzero()[0])
    chosen = chosen.clone()
    chosen[k] = halves[k]
    return torch.cat([where, where[:, k : k + 1]], 1), torch.cat([chosen, halves[k : k + 1]])
