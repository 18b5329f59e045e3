"""Every generated class, steps of any of them, and whether a refusal has left everything alone."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from instep.reference import eager, vectorized

CLASSES = [getattr(package, name) for package in (vectorized, eager) for name in package.__all__]
IN_TORCH = [c for c in CLASSES if hasattr(torch.optim, c.__name__)]


class Checks(list[Callable[[Any], None]]):
    """Checks of one class: one test runs them all, since each takes milliseconds."""

    def add(self, check: Callable[[Any], None]) -> Callable[[Any], None]:
        """As a decorator."""
        self.append(check)
        return check


def named(cls):
    return f"{cls.__module__.split('.')[-2]}.{cls.__name__}"


def parameter(dtype=torch.float64):
    """A matrix, which every algorithm takes."""
    return torch.nn.Parameter(torch.arange(1.0, 7.0).reshape(2, 3).to(dtype))


def gradient(cls, p, scale=0.5):
    """A gradient that the class takes."""
    g = torch.full_like(p, scale)
    return g if cls._accepts.dense else g.to_sparse()


def closure_for(cls, optimizer):
    """What a step needs to evaluate gradients itself; they are as they were set."""
    return (lambda: torch.zeros(())) if getattr(cls, "_closure", False) else None


def admitted(cls, groups):
    """The groups, or all in the first one where a class has a single group."""
    if not cls._one_group:
        return groups
    return [{**groups[0], "params": [p for group in groups for p in group["params"]]}]


def after_one_step(cls, sizes, **options):
    """An optimizer with groups of these sizes, and its parameters."""
    parameters = [parameter() for _ in range(sum(sizes))]
    groups, start = [], 0
    for k, size in enumerate(sizes):
        own = {} if "lr" in cls._common else {"lr": 2.0**-k}
        groups.append({"params": parameters[start : start + size], **own})
        start += size
    optimizer = cls(admitted(cls, groups), **options)
    for p in parameters:
        p.grad = gradient(cls, p)
    optimizer.step(closure_for(cls, optimizer))
    return optimizer, parameters


def refuses_step(cls, optimizer, kind, message):
    """The step is refused in one line, and nothing has changed."""
    before = Snapshot(optimizer)
    with pytest.raises(kind, match=message) as caught:
        optimizer.step(closure_for(cls, optimizer))
    assert "\n" not in str(caught.value)
    before.check()


@dataclass
class Snapshot:
    """Everything that a refused step must leave alone, bit for bit."""

    optimizer: torch.optim.Optimizer

    def __post_init__(self):
        self.groups = [
            {k: copy.deepcopy(v) for k, v in group.items() if k != "params"}
            for group in self.optimizer.param_groups
        ]
        self.parameters = [p for g in self.optimizer.param_groups for p in g["params"]]
        self.values = [bits(p) for p in self.parameters]
        self.gradients = [p.grad for p in self.parameters]
        self.given = [None if g is None else bits(g) for g in self.gradients]
        self.state = {p: bits(state) for p, state in self.optimizer.state.items()}

    def check(self):
        for group, before in zip(self.optimizer.param_groups, self.groups, strict=True):
            now = {k: v for k, v in group.items() if k != "params"}
            assert now.keys() == before.keys()
            assert all(bits(now[k]) == bits(before[k]) for k in now)
        assert [bits(p) for p in self.parameters] == self.values
        assert all(p.grad is g for p, g in zip(self.parameters, self.gradients, strict=True))
        assert [None if g is None else bits(g) for g in self.gradients] == self.given
        assert {p: bits(state) for p, state in self.optimizer.state.items()} == self.state


def bits(x):
    """A value that is equal only where every bit is."""
    if isinstance(x, torch.Tensor):
        parts = (x._indices(), x._values()) if x.layout == torch.sparse_coo else (x,)
        raw = tuple(p.detach().contiguous().view(-1).view(torch.uint8).numpy().tobytes()
                    for p in parts)  # fmt: skip
        return (str(x.dtype), tuple(x.shape), raw)
    if isinstance(x, dict):
        return {k: bits(v) for k, v in x.items()}
    if isinstance(x, list | tuple):
        return [bits(v) for v in x]
    return (type(x), x)
