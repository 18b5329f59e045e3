"""Whether state that is loaded has the shapes that its parameters ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from instep.reference.runtime.work import Layout, State, real


def stand_in(parameter: Tensor) -> Tensor:
    """A tensor without data of the shape and type in which the equations see a parameter."""
    theta = real(parameter)
    return torch.empty(theta.shape, dtype=theta.dtype, device="meta")


def late_state(theta: Tensor, layout: Layout) -> State:
    """What only a step makes, in its shapes."""
    like, reduced = dict.fromkeys(layout.late, theta), theta.new_empty(())
    return {**like, **dict.fromkeys(layout.late_reduced, reduced)}


def check_shapes(kept: Mapping[str, Any], fresh: State, layout: Layout, owner: str) -> None:
    """Compare the state of a parameter with the one that it would begin with.

    Keys that the algorithm does not read, and values of None, are somebody else's affair.

    Raises:
        ValueError: what is kept has another shape, or is of another kind.
    """
    for key in sorted(kept.keys() & (fresh.keys() | layout.numbers)):
        value: Any = real(kept[key])
        wanted: Any = fresh.get(key)
        number = key in layout.numbers
        if value is None or not (number or isinstance(wanted, Tensor)):
            continue
        if not (_is_number(value) if number else _is_like(value, wanted)):
            asked = "one number" if number else f"a tensor of shape {tuple(wanted.shape)}"
            raise ValueError(
                f"state {key} of {owner} is {_shown(value)}, not {asked}: "
                "it was kept for another parameter"
            )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) or (isinstance(value, Tensor) and value.numel() == 1)


def _is_like(value: Any, wanted: Tensor) -> bool:
    return isinstance(value, Tensor) and value.shape == wanted.shape


def _shown(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    return f"of type {type(value).__name__}"
