"""The generated classes by specification, and those that torch has too."""

from __future__ import annotations

from typing import Any

import torch

from instep.reference.generate import tree
from instep.reference.generate.frame import Frame
from instep.spec.model import Algorithm

EXPORTED = {a.name: Frame(a, ()).name for a in tree.exported()}
TORCH = {name: cls for name, cls in EXPORTED.items() if hasattr(torch.optim, cls)}


def probes(algorithm: Algorithm) -> dict[str, Any]:
    """Keywords that set every hyperparameter to the value at which it is probed."""
    out: dict[str, Any] = {}
    for key, hyperparameters in Frame(algorithm, ()).hyperparameters():
        values = tuple(h.default if h.probe is None else h.probe for h in hyperparameters)
        out[key] = values if hyperparameters[0].index is not None else values[0]
    return out


def takes_dense(cls: Any) -> bool:
    """Whether a class, torch's or ours, takes dense gradients."""
    accepts = getattr(cls, "_accepts", None)
    return accepts.dense if accepts is not None else cls is not torch.optim.SparseAdam
