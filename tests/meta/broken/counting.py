"""Optimizers that lose count, late."""

from __future__ import annotations

import torch
from torch import Tensor

from meta.broken.behaviour import PlainAdam
from meta.correct.frame import Group, State, apply, moments
from meta.correct.updates import average
from sources.adagrad import Box


class CountsAsLoaded(PlainAdam):
    """A count under another key than torch's, which loading casts to the parameter's type."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, _ = moments(p, state)
        count = state.setdefault("count", torch.zeros(()))
        count += 1
        average(m, v, g, group)
        apply(p, m, v, int(count), group)


class CountsInDefaultType(PlainAdam):
    """After torch.set_default_dtype(torch.bfloat16) a count ends at 256 (pytorch/ao #4915)."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, _ = moments(p, state)
        if state["step"] == 1:
            state["step"] = torch.tensor(1.0)
        average(m, v, g, group)
        apply(p, m, v, int(state["step"]), group)


class CountsInSingle(Box):
    """AdaGrad whose rate falls no further after 2^24 steps."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if not state:
            start = torch.full_like(p, group["initial_accumulator_value"])
            state.update(step=torch.zeros((), dtype=torch.float32), accumulator=start)
        super().move(p, g, {**state, "t": int(state["step"])}, group)
        state["step"] += 1
