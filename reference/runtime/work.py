"""One parameter during a step: what the equations see of it, and how their results are put back.

The equations run on a scratch copy of the state: what refuses or raises changes nothing. Complex
tensors are seen as real ones with a last axis of two. State that is one number per parameter (the
step counter among it) is seen as a Python float and kept as a 0-d tensor, as torch does; where the
step must stay on the device (`capturable`) it is seen as that tensor.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

State = dict[str, Any]
Group = Mapping[str, Any]
# Torch keeps the counter in float32, where 1 added to more than this changes nothing.
LAST_IN_SINGLE = 2**24


@dataclass(frozen=True, slots=True)
class Layout:
    """How a class keeps its state: keys that hold one number per parameter, and the counter's.

    The counter is a 0-d tensor, or where not `tensor` a Python int, as torch keeps it. `late` are
    keys that only a step makes, in the shape of the parameter; `late_reduced` without a shape.
    """

    numbers: frozenset[str] = frozenset()
    counter: str | None = None
    tensor: bool = True
    late: frozenset[str] = frozenset()
    late_reduced: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)
class Work:
    """A parameter, its gradient and its state as the equations see them.

    Where they see only some lanes, `lanes` are the indices and `whole` the states they are part of.
    """

    parameter: Tensor
    theta: Tensor
    grad: Any
    state: State
    before: State
    lanes: tuple[Tensor, ...] | None = None
    whole: dict[str, Tensor] = field(default_factory=dict)


def real(x: Any) -> Any:
    """A complex tensor as a real view of it; anything else as it is."""
    return torch.view_as_real(x.resolve_conj()) if isinstance(x, Tensor) and x.is_complex() else x


def dense(grad: Any) -> Any:
    """A gradient with all its lanes, as the equations see it; None stays None."""
    if isinstance(grad, Tensor) and grad.layout != torch.strided:
        grad = grad.to_dense()
    return real(grad)


def scalar_dtype() -> torch.dtype:
    """Torch's type for a step counter: float32, or float64 where that is the default type."""
    return torch.float64 if torch.get_default_dtype() == torch.float64 else torch.float32


def as_numbers(value: Any) -> Any:
    """One-element tensors read as Python numbers, in tuples too; anything else as it is."""
    if isinstance(value, tuple | list):
        return tuple(map(as_numbers, value))
    return value.item() if isinstance(value, Tensor) and value.numel() == 1 else value


def as_scalars(value: Any) -> Any:
    """One-element tensors as 0-d ones, still on their device and in their graph."""
    if isinstance(value, tuple | list):
        return tuple(map(as_scalars, value))
    return value.reshape(()) if isinstance(value, Tensor) and value.numel() == 1 else value


def as_wide(value: Any) -> Any:
    """As 0-d tensors in float64, so that one minus a power of beta keeps its digits."""
    if isinstance(value, tuple | list):
        return tuple(map(as_wide, value))
    if isinstance(value, Tensor) and value.numel() == 1:
        return value.reshape(()).to(_wide(value.device))
    return value


def _wide(device: torch.device) -> torch.dtype:
    return torch.float32 if device.type == "mps" else torch.float64


def open_work(
    parameter: Tensor, kept: Mapping[str, Any], *, clone: bool = False, masked: bool = False
) -> Work:
    """What the equations see of a parameter with this state; None counts as absent.

    `clone` lets autograd keep the parameter that it saw while a new value is written; `masked`
    leaves a sparse gradient as it is.
    """
    before = {key: real(value) for key, value in kept.items() if value is not None}
    theta = real(parameter.clone() if clone else parameter)
    grad = parameter.grad if masked else dense(parameter.grad)
    return Work(parameter, theta, grad, dict(before), before)


def read_numbers(work: Work, layout: Layout) -> None:
    """See the per-parameter numbers as Python floats."""
    for key in layout.numbers & work.state.keys():
        work.state[key] = float(work.state[key])


def read_tensors(work: Work, layout: Layout) -> None:
    """See the per-parameter numbers as 0-d tensors on the parameter's device, in float64."""
    device = work.theta.device
    for key in layout.numbers & work.state.keys():
        work.state[key] = torch.as_tensor(work.state[key], dtype=_wide(device), device=device)


def rows_like(theta: Tensor, value: float) -> Tensor:
    """A state with one entry for each row, kept as a last axis of length one."""
    return torch.full_like(theta[..., :1] if theta.dim() > 1 else theta, value)


def cols_like(theta: Tensor, value: float) -> Tensor:
    """A state with one entry for each column, kept as a second last axis of length one."""
    return torch.full_like(theta[..., :1, :] if theta.dim() > 1 else theta, value)


def unit_axes(theta: Tensor) -> tuple[int, ...]:
    """All axes but the first, along which a unit (a row of weights, a filter) lies."""
    return tuple(range(1 if theta.dim() > 1 else 0, theta.dim()))


def unit_size(theta: Tensor) -> int:
    """How many lanes a unit has."""
    return math.prod(theta.shape[k] for k in unit_axes(theta))


def close_work(
    work: Work,
    theta: Tensor,
    kept: MutableMapping[str, Any],
    layout: Layout,
    *,
    rebind: bool = False,
) -> None:
    """Store the new parameter and the new state, in the tensors that are there.

    `rebind` puts new state tensors in the place of old ones, as autograd needs it.
    """
    for key, new in work.state.items():
        if key in layout.numbers:
            keep_number(kept, key, new, layout)
        elif not isinstance(new, Tensor):
            kept[key] = new
        elif rebind or not isinstance(kept.get(key), Tensor):
            kept[key] = like_parameter(new, work)
        elif new is not work.before.get(key):
            real(kept[key]).copy_(new)
    if theta is not work.theta:
        real(work.parameter).copy_(theta)


def keep_number(kept: MutableMapping[str, Any], key: str, new: Any, layout: Layout) -> None:
    """Store one number of a parameter's state, in the tensor that is there."""
    if key == layout.counter and not layout.tensor:
        kept[key] = int(new)
        return
    old = kept.get(key)
    on_device = isinstance(new, Tensor)
    if not isinstance(old, Tensor) or (on_device and old.device != new.device):
        dtype = scalar_dtype() if key == layout.counter else torch.float64
        kept[key] = new.to(dtype) if on_device else torch.tensor(new, dtype=dtype)
    elif on_device:
        old.copy_(new)
    elif new > LAST_IN_SINGLE and old.dtype is torch.float32 and key == layout.counter:
        kept[key] = torch.tensor(new, dtype=torch.float64)
    else:
        old.fill_(new)


def like_parameter(new: Tensor, work: Work) -> Tensor:
    """New state in the parameter's type, complex again where the parameter is."""
    new = new.to(work.theta.dtype)
    if work.parameter.is_complex() and new.shape == work.theta.shape:
        return torch.view_as_complex(new)
    return new
