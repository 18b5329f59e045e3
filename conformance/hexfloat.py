"""Floats as text that loses nothing: C99's hex floats, which most languages read by themselves."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

_FLOAT = re.compile(r"-?(0x[01](\.[0-9a-f]+)?p[+-]\d+|inf)|nan")
# A bound says no more than its first digits, and rounding it up keeps it one.
_BOUND_BITS = 8


def written(x: float) -> str:
    """`-0x1.2a6p-5`, `0x0p+0`, `nan`, `inf` or `-inf`: no digit that is not needed."""
    text = float(x).hex()
    if "." not in text:
        return text
    mantissa, _, exponent = text.partition("p")
    return f"{mantissa.rstrip('0').rstrip('.')}p{exponent}"


def lanes(x: Any) -> list[str]:
    """All lanes of an array in their order, the last axis fastest."""
    return [written(v) for v in np.ravel(np.asarray(x, dtype=np.float64)).tolist()]


def rounded_up(bound: Any) -> Any:
    """A bound of few digits that is no smaller."""
    mantissa, exponent = np.frexp(np.asarray(bound, dtype=np.float64))
    return np.ldexp(np.ceil(np.ldexp(mantissa, _BOUND_BITS)), exponent - _BOUND_BITS)


def is_written(x: object) -> bool:
    """Whether something is the text of a float."""
    return isinstance(x, str) and _FLOAT.fullmatch(x) is not None


def read(text: object) -> float:
    """The number that a text stands for; a JSON number is taken as it is.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(text, int | float) and not isinstance(text, bool):
        return float(text)
    if not isinstance(text, str) or not is_written(text):
        raise ValueError(f"{text!r} is no hex float such as -0x1.2a6p-5")
    return float.fromhex(text)


def read_lanes(texts: Sequence[object], shape: Sequence[int]) -> Any:
    """An array of a shape.

    Raises:
        ValueError: a lane is no number, or there are not as many as the shape has.
    """
    flat = np.array([read(x) for x in texts], dtype=np.float64)
    if flat.size != math.prod(shape):
        raise ValueError(f"{flat.size} lanes for the shape {list(shape)}")
    return flat.reshape(tuple(shape))
