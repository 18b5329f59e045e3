"""Rprop: torch's, and the boxes of both papers lane by lane."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from meta.correct.frame import Frame, Group, State
from sources import Source


class RpropFrame(Frame):
    """Rprop's arguments, and the loop over lanes; a subclass says how one lane moves."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        maximize: bool = False,
    ) -> None:
        if lr < 0 or not 0 < etas[0] < 1 < etas[1]:
            raise ValueError(f"lr {lr} or etas {etas} are impossible")
        own = {"lr": lr, "etas": etas, "step_sizes": step_sizes, "maximize": maximize}
        super().__init__(params, {**own, "weight_decay": 0.0})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if not state:
            state["size"] = torch.full_like(p, group["lr"])
            state["before"] = torch.zeros_like(p)
            state["moved"] = torch.zeros_like(p)
        lanes = [x.view(-1) for x in (p, g, state["size"], state["before"], state["moved"])]
        for k in range(p.numel()):
            values = [x[k].item() for x in lanes[1:]]
            size, before, moved = self.lane(*values, group)
            for x, value in zip(lanes[2:], (size, before, moved), strict=True):
                x[k] = value
            lanes[0][k] += moved

    def lane(
        self, g: float, size: float, before: float, moved: float, group: Group
    ) -> tuple[float, float, float]:
        raise NotImplementedError


def longer(size: float, group: Group) -> float:
    return min(max(size * group["etas"][1], group["step_sizes"][0]), group["step_sizes"][1])


def shorter(size: float, group: Group) -> float:
    return min(max(size * group["etas"][0], group["step_sizes"][0]), group["step_sizes"][1])


def limited(size: float, group: Group) -> float:
    return min(max(size, group["step_sizes"][0]), group["step_sizes"][1])


def signed(g: float, size: float) -> float:
    return -math.copysign(size, g) if g != 0 else 0.0


class Minus(RpropFrame):
    """Rprop-."""

    def lane(
        self, g: float, size: float, before: float, moved: float, group: Group
    ) -> tuple[float, float, float]:
        if g * before > 0:
            size = longer(size, group)
        elif g * before < 0:
            size = shorter(size, group)
        else:
            size = limited(size, group)
        return size, g, signed(g, size)


class ImprovedMinus(RpropFrame):
    """iRprop-."""

    def lane(
        self, g: float, size: float, before: float, moved: float, group: Group
    ) -> tuple[float, float, float]:
        if g * before > 0:
            size = longer(size, group)
        elif g * before < 0:
            size, g = shorter(size, group), 0.0
        else:
            size = limited(size, group)
        return size, g, signed(g, size)


class Backtracking(RpropFrame):
    """The first paper's algorithm, Rprop+."""

    def lane(
        self, g: float, size: float, before: float, moved: float, group: Group
    ) -> tuple[float, float, float]:
        if g * before > 0:
            size = longer(size, group)
            return size, g, signed(g, size)
        if g * before < 0:
            return shorter(size, group), 0.0, -moved
        size = limited(size, group)
        return size, g, signed(g, size)


SOURCES = (
    Source("rprop/torch", "torch.optim:Rprop"),
    Source("rprop/torch", ImprovedMinus, paper="Igel and Huesken 2000, iRprop-"),
    Source("rprop/minus", Minus, paper="Igel and Huesken 2000, Rprop-"),
    Source("rprop/paper", Backtracking, paper="Riedmiller and Braun 1993"),
)
