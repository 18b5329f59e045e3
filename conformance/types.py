"""Types in which a subject computes, seen in its operations rather than in what it keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from instep.conformance.profile import FLOAT_TYPES, FloatType


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the type of every tensor of several lanes that an operation of torch returns."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: set[str] = set()

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        for x in out if isinstance(out, tuple | list) else (out,):
            if isinstance(x, torch.Tensor) and x.is_floating_point() and x.numel() > 1:
                self.names.add(str(x.dtype).removeprefix("torch."))
        return out


def computed_in(work: Callable[[], object]) -> list[FloatType]:
    """Floating-point types that torch operations have results in, coarsest first.

    What happens inside a compiled kernel, or outside of torch, is not seen.
    """
    with _Watch() as watch:
        work()
    known = [FLOAT_TYPES[name] for name in watch.names if name in FLOAT_TYPES]
    return sorted(known, key=lambda t: t.bits)


def block_type(narrowest: FloatType, seen: Sequence[FloatType]) -> FloatType | None:
    """The type of a block that may be as narrow as `narrowest`, None where nothing was narrow."""
    fitting = [t for t in seen if t.bits >= narrowest.bits]
    return fitting[0] if fitting else None
