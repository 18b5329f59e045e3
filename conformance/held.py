"""What an optimizer holds on to: the tensors that are reached from it, and how many things."""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

# What is reached from these is not the optimizer's, or not a thing.
_PASSED = (str, bytes, int, float, complex, type, types.ModuleType, types.FunctionType,
           types.BuiltinFunctionType, types.MethodType, torch.dtype, torch.device,
           type(None))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Held:
    """How much there is.

    Attributes:
        entries: of all dicts, lists and the like; a queue of a fixed length is as long as that.
        tensors: that are no parameters.
        bytes: of their memory, each counted once.
    """

    entries: int
    tensors: int
    bytes: int


def held(optimizer: Any, parameters: Iterable[torch.Tensor]) -> Held:
    """What is reached from an optimizer, and from attributes that it gave to parameters."""
    storages: dict[int, int] = {}
    entries = tensors = 0
    for thing in _reached(optimizer, list(parameters)):
        if isinstance(thing, torch.Tensor):
            tensors += 1
            storages.update(_storages(thing))
        elif isinstance(thing, deque) and thing.maxlen is not None:
            entries += thing.maxlen
        else:
            entries += len(list(_inside(thing)))
    return Held(entries, tensors, sum(storages.values()))


def tensors_held(optimizer: Any, parameters: Iterable[torch.Tensor]) -> list[torch.Tensor]:
    """The tensors among it."""
    found = _reached(optimizer, list(parameters))
    return [thing for thing in found if isinstance(thing, torch.Tensor)]


def _reached(optimizer: Any, parameters: list[torch.Tensor]) -> Iterator[Any]:
    """Everything but the parameters, once each."""
    seen = {id(p): p for p in parameters}
    left = [optimizer, *(vars(p) for p in parameters)]
    while left:
        thing = left.pop()
        if isinstance(thing, _PASSED) or id(thing) in seen:
            continue
        seen[id(thing)] = thing
        yield thing
        if not isinstance(thing, torch.Tensor):
            left += _inside(thing)


def _storages(x: torch.Tensor) -> Iterator[tuple[int, int]]:
    """Where the memory of a tensor begins, and how much it is."""
    parts = (x._indices(), x._values()) if x.layout is torch.sparse_coo else (x,)
    for part in parts:
        if part.layout is torch.strided:
            memory = part.untyped_storage()
            yield memory.data_ptr(), memory.nbytes()


def _inside(thing: Any) -> Iterator[Any]:
    """What a container holds, or an object as its attributes."""
    if isinstance(thing, Mapping):
        yield from thing.keys()
        yield from thing.values()
    elif isinstance(thing, list | tuple | set | frozenset | deque):
        yield from thing
    elif hasattr(thing, "__dict__"):
        yield from vars(thing).values()
    elif hasattr(thing, "__slots__"):
        names = [thing.__slots__] if isinstance(thing.__slots__, str) else thing.__slots__
        yield from (getattr(thing, name) for name in names if hasattr(thing, name))
