"""State that is kept for all parameters together: one vector, in the order of the parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from instep.reference.runtime.work import State, real


def split(
    kept: Mapping[str, Any], keys: Iterable[str], parameters: Sequence[Tensor]
) -> list[State]:
    """The part of every parameter in vectors, or in lists of vectors; None counts as absent."""
    present = {key: kept[key] for key in keys if kept.get(key) is not None}
    parts: list[State] = [{} for _ in parameters]
    for key, value in present.items():
        for part, own in zip(parts, _pieces(value, parameters), strict=True):
            part[key] = own
    return parts


def join(parts: Sequence[State], keys: Iterable[str], parameters: Sequence[Tensor]) -> State:
    """The vectors of all parameters; one that has no part in a step counts with zeros."""
    return {
        key: _whole([part.get(key) for part in parts], parameters)
        for key in keys
        if any(key in part for part in parts)
    }


def check_lengths(
    kept: Mapping[str, Any], keys: Iterable[str], parameters: Sequence[Tensor]
) -> None:
    """Compare vectors that are loaded with the parameters that they are to be cut for.

    Raises:
        ValueError: one is not as long as all parameters together.
    """
    length = sum(real(p).numel() for p in parameters)
    for key in sorted(keys):
        for vector in _vectors(kept.get(key)):
            if vector.shape != (length,):
                raise ValueError(
                    f"state {key} holds a tensor of shape {tuple(vector.shape)}, not ({length},): "
                    "it was kept for other parameters"
                )


def _vectors(value: Any) -> list[Tensor]:
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


def _pieces(whole: Any, parameters: Sequence[Tensor]) -> list[Any]:
    if not isinstance(whole, Tensor):
        columns = [_pieces(vector, parameters) for vector in whole]
        return [[column[i] for column in columns] for i in range(len(parameters))]
    views = [real(p) for p in parameters]
    cut = torch.split(whole, [v.numel() for v in views])
    return [x.reshape(v.shape).to(v) for x, v in zip(cut, views, strict=True)]


def _whole(pieces: Sequence[Any], parameters: Sequence[Tensor]) -> Any:
    lists = [x for x in pieces if isinstance(x, list | tuple)]
    if lists:
        empty = [[None] * len(lists[0]) if x is None else x for x in pieces]
        return [_whole(entries, parameters) for entries in zip(*empty, strict=True)]
    own = zip(pieces, parameters, strict=True)
    filled = [torch.zeros_like(real(p)) if x is None else x for x, p in own]
    return torch.cat([x.reshape(-1) for x in filled])
