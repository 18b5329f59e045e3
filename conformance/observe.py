"""What a subject did: parameters, everything it keeps for them, and its groups, after every step.

State is looked for where optimizers keep it: in `state`, in that of optimizers they wrap, and in
attributes that hold one tensor per parameter, a mapping by parameter, or one flat buffer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from instep.conformance.probes import Probe
from instep.conformance.profile import FloatType
from instep.spec.model import Algorithm

Leaf = Any  # a float64 array, or a number
_IGNORED = frozenset({"param_groups", "defaults", "state"})


@dataclass(frozen=True, slots=True)
class Moment:
    """The subject between two steps."""

    parameters: list[Any]
    leaves: list[dict[str, Leaf]]
    types: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the closure: what it saw, whether gradients were enabled, its loss."""

    parameters: list[Any]
    enabled: bool
    loss: float


@dataclass
class Recording:
    """A run: one moment before the first step and one after every step.

    Attributes:
        calls: what the closure saw, call by call, in each step that was given one.
        primed: whether the subject finds the first gradient of a step in p.grad.
        blocks: types of an algorithm's blocks of equations that are narrower than the parameters,
            where the subject may be what computes it.
    """

    probe: Probe
    moments: list[Moment]
    losses: list[Any] = field(default_factory=list)
    calls: dict[int, list[Call]] = field(default_factory=dict)
    primed: bool = False
    arguments: Mapping[str, Any] = field(default_factory=dict)
    grouped: bool = True
    blocks: Callable[[Algorithm], Mapping[str, FloatType]] = lambda _: {}

    @property
    def steps(self) -> int:
        """Steps that were completed."""
        return len(self.moments) - 1

    def of(self, *chosen: int) -> Recording:
        """What it did to some parameters, as if there were no others."""
        moments = [
            Moment([m.parameters[k] for k in chosen], [m.leaves[k] for k in chosen], m.types)
            for m in self.moments
        ]
        return replace(self, probe=self.probe.only(*chosen), moments=moments)


def to_array(x: torch.Tensor) -> Any:
    """A float64 copy; complex tensors as pairs of reals."""
    x = x.detach()
    if x.is_complex():
        x = torch.view_as_real(x)
    if x.layout is not torch.strided:
        x = x.to_dense()
    return x.to("cpu", torch.float64).numpy().copy()


def different(some: Sequence[Any], others: Sequence[Any]) -> int | None:
    """Index of the first parameter that is not bit for bit the same (0 is -0), None if all are."""
    pairs = enumerate(zip(some, others, strict=True))
    return next((i for i, (a, b) in pairs if not np.array_equal(a, b, equal_nan=True)), None)


def changes(before: Moment, after: Moment) -> Iterator[str]:
    """What is no longer as it was, parameters first; what a step only adds is no change."""
    for i, (old, new) in enumerate(zip(before.parameters, after.parameters, strict=True)):
        if not np.array_equal(old, new, equal_nan=True):
            yield f"parameter {i}"
    for i, (kept, now) in enumerate(zip(before.leaves, after.leaves, strict=True)):
        for path, value in kept.items():
            if path not in now or not np.array_equal(value, now[path], equal_nan=True):
                yield f"{path} of parameter {i}"


def observe(optimizer: Any, parameters: Sequence[torch.Tensor]) -> Moment:
    """The subject's parameters and leaves now."""
    leaves: list[dict[str, Leaf]] = [{} for _ in parameters]
    types: dict[str, str] = {}
    for i, path, value in stored(optimizer, list(parameters)):
        if isinstance(value, torch.Tensor):
            if value.is_floating_point() or value.is_complex() or value.numel() == 1:
                types[path] = str(value.dtype).removeprefix("torch.")
                leaves[i][path] = to_array(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            leaves[i][path] = float(value)
    return Moment([to_array(p) for p in parameters], leaves, types)


def stored(
    optimizer: Any, parameters: list[torch.Tensor], prefix: str = "", depth: int = 0
) -> Iterator[tuple[int, str, Any]]:
    """(parameter index, path, value) of everything that is kept for a parameter."""
    state = getattr(optimizer, "state", None)
    if isinstance(state, Mapping):
        for i, p in enumerate(parameters):
            entry = _of_parameter(state, p, i)
            if entry is not None:
                for path, v in _flatten(entry, prefix):
                    yield from _own(v, i, parameters, path)
    for name, value in _attributes(optimizer):
        if name in _IGNORED:
            continue
        path = f"{prefix}{name}"
        if hasattr(value, "param_groups") and hasattr(value, "state") and depth < 3:
            yield from stored(value, parameters, f"{path}/", depth + 1)
        else:
            yield from _aligned(value, parameters, path)


def _own(
    value: Any, i: int, parameters: list[torch.Tensor], path: str
) -> Iterator[tuple[int, str, Any]]:
    """What is kept for parameter i, or there for all of them: one vector as long as they are."""
    if isinstance(value, torch.Tensor) and value.numel() != parameters[i].numel():
        whole = list(_flat(value, parameters, path))
        if whole:
            yield from whole
            return
    yield i, path, value


def _attributes(optimizer: Any) -> list[tuple[str, Any]]:
    try:
        return list(vars(optimizer).items())
    except TypeError:
        return []


def _of_parameter(mapping: Mapping[Any, Any], p: torch.Tensor, i: int) -> Any:
    """The entry of a mapping keyed by the parameter, its id, or its index; never creates one."""
    for key in (p, id(p), i):
        try:
            if key in mapping:
                return mapping[key]
        except (TypeError, RuntimeError):
            continue
    return None


def _flatten(value: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Leaves of nested dicts, lists and tuples."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flatten_entry(inner, f"{prefix}{key}")
    else:
        yield from _flatten_entry(value, prefix.rstrip("/") or "value")


def _flatten_entry(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from _flatten(value, f"{path}/")
    elif isinstance(value, list | tuple):
        for k, inner in enumerate(value):
            yield from _flatten_entry(inner, f"{path}/{k}")
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from _flatten_entry(getattr(value, name), f"{path}/{name}")
    else:
        yield path, value


def _aligned(
    value: Any, parameters: list[torch.Tensor], path: str
) -> Iterator[tuple[int, str, Any]]:
    """Attributes with something per parameter: a list, a mapping, a flat buffer, a number."""
    if isinstance(value, Mapping):
        for i, p in enumerate(parameters):
            entry = _of_parameter(value, p, i)
            if entry is not None:
                yield from ((i, inner, v) for inner, v in _flatten_entry(entry, path))
    elif isinstance(value, list | tuple) and len(value) == len(parameters):
        for i, entry in enumerate(value):
            if not (isinstance(entry, torch.Tensor) and entry is parameters[i]):
                yield from ((i, inner, v) for inner, v in _flatten_entry(entry, path))
    elif isinstance(value, torch.Tensor):
        yield from _flat(value, parameters, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from ((i, path, value) for i in range(len(parameters)))


def _flat(
    value: torch.Tensor, parameters: list[torch.Tensor], path: str
) -> Iterator[tuple[int, str, Any]]:
    if value.numel() != sum(p.numel() for p in parameters) or value.dim() != 1:
        return
    start = 0
    for i, p in enumerate(parameters):
        yield i, path, value[start : start + p.numel()].reshape(p.shape)
        start += p.numel()


def as_array(x: Any) -> Any:
    """A leaf as a float64 array."""
    return np.asarray(x, dtype=np.float64)
