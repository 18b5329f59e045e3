"""How much memory a block takes for the time being, as far as tensors show it.

Every tensor that a function of torch returns is seen, on any device; what a kernel takes for itself
inside is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Peak(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A block in which new tensors are counted for as long as they live.

    Attributes:
        bytes: the most that there was of them at a time.

    Args:
        known: tensors that were there before.
    """

    def __init__(self, known: Iterable[torch.Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._known = {s._cdata: s for x in known for s in _storages(x)}
        self._new: dict[int, tuple[Any, int]] = {}
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call a function, and count what it returns."""
        found = func(*args, **(kwargs or {}))
        for x in tree_leaves(found):
            for storage in _storages(x):
                if storage._cdata not in self._known:
                    self._new[storage._cdata] = (_reference(storage), storage.nbytes())
        self._new = {k: kept for k, kept in self._new.items() if not kept[0].expired()}
        self.bytes = max(self.bytes, sum(size for _, size in self._new.values()))
        return found


def _reference(storage: torch.UntypedStorage) -> Any:
    """What does not keep it alive."""
    return StorageWeakRef(storage)  # type: ignore[no-untyped-call]


def _storages(x: Any) -> list[torch.UntypedStorage]:
    """The memory of a tensor, none of anything else."""
    if not isinstance(x, torch.Tensor) or x.layout is not torch.strided:
        return []
    return [x.untyped_storage()]
