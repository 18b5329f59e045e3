"""Functions of one number: a Python float, or a 0-d tensor where a step stays on the device."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def _either(number: Callable[[float], float], tensor: Callable[[Tensor], Tensor]) -> Any:
    def function(x: Any) -> Any:
        return tensor(x) if isinstance(x, Tensor) else number(x)

    return function


def _root(x: float) -> float:
    return math.sqrt(x) if x >= 0 else math.nan


def _logarithm(x: float) -> float:
    if x > 0:
        return math.log(x)
    return -math.inf if x == 0 else math.nan


def _sign(x: float) -> float:
    return float((x > 0) - (x < 0)) if not math.isnan(x) else math.nan


sqrt = _either(_root, torch.sqrt)
exp = _either(math.exp, torch.exp)
log = _either(_logarithm, torch.log)
cos = _either(math.cos, torch.cos)
pi = math.pi
sign = _either(_sign, torch.sign)
floor = _either(lambda x: float(math.floor(x)), torch.floor)
absolute = _either(abs, torch.abs)


def maximum(a: Any, b: Any) -> Any:
    """The larger one; NaN if either is."""
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return torch.maximum(*_tensors(a, b))
    return a if a >= b or math.isnan(a) else b


def minimum(a: Any, b: Any) -> Any:
    """The smaller one; NaN if either is."""
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return torch.minimum(*_tensors(a, b))
    return a if a <= b or math.isnan(a) else b


def where(condition: Any, a: Any, b: Any) -> Any:
    """`a` if the condition holds, else `b`."""
    if isinstance(condition, Tensor):
        return torch.where(condition, *_tensors(a, b, like=condition))
    return a if condition else b


def _tensors(a: Any, b: Any, like: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Both as tensors of one type, on the device of the one that is a tensor already."""
    known = next((x for x in (a, b) if isinstance(x, Tensor)), None)
    device = known.device if known is not None else like.device if like is not None else None
    dtype = known.dtype if known is not None else torch.float64
    return tuple(torch.as_tensor(x, dtype=dtype, device=device) for x in (a, b))  # type: ignore[return-value]
