"""Optimizers that are right for the usual list of contiguous vectors only."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from meta.broken.behaviour import PlainAdam
from meta.correct.frame import Group, State, apply, moments
from meta.correct.updates import average


class NeedsGradients(PlainAdam):
    """The largest gradient of all is looked for, for a diagnostic, and an empty list has none."""

    def step(self, closure: Any = None) -> Any:
        parameters = [p for group in self.param_groups for p in group["params"]]
        if closure is None:
            self.largest = max(float(p.grad.abs().max()) for p in parameters if p.grad is not None)
        return super().step(closure)


class LongestFirst(PlainAdam):
    """A buffer for squares is allocated for the first parameter; longer ones are cut off."""

    def step(self, closure: Any = None) -> Any:
        self.room = self.param_groups[0]["params"][0].numel()
        return super().step(closure)

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if self.room <= 1 < p.numel():
            g = g.clone()
            g.view(-1)[-1] = 0
        super().move(p, g, state, group)


class WholeVectorsOnly(PlainAdam):
    """A loop over registers of four lanes: the tail is forgotten where there is one register."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        before = p.clone()
        super().move(p, g, state, group)
        if p.dim() == 1 and 4 < p.numel() < 8:
            p[4:] = before[4:]


class ViewsOnly(PlainAdam):
    """Flattens parameters with view(), which most layouts do not have."""

    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for p in group["params"]:
                p.detach().view(-1)
        return super().step(closure)


class ManyLanesInHalf(PlainAdam):
    """State of large tensors is kept in half precision, to save memory."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        if p.numel() >= 2**15:
            m.copy_(m.bfloat16())
        apply(p, m, v, t, group)


class RatesOfTheType(PlainAdam):
    """Corrects with rates of decay in the type of the parameter, where 0.999 may be 1."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        wide = torch.promote_types(p.dtype, torch.bfloat16)
        rounded = [float(torch.tensor(beta, dtype=wide)) for beta in group["betas"]]
        if rounded[1] < 1:
            apply(p, m, v, t, {**group, "betas": rounded})


class _Flat(PlainAdam):
    """Updates a flat copy of some parameters, as a kernel that takes a pointer does."""

    def concerns(self, p: Tensor) -> bool:
        raise NotImplementedError

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if not self.concerns(p):
            super().move(p, g, state, group)
            return
        flat = torch.as_strided(p, (p.numel(),), (1,), p.storage_offset())
        super().move(flat, g.reshape(-1), state, group)


class RowMajor(_Flat):
    """Takes matrices for contiguous."""

    def concerns(self, p: Tensor) -> bool:
        return p.dim() == 2 and p.stride(0) == 1 and p.stride(1) > 1


class RowMajorImages(_Flat):
    """Takes filters for contiguous."""

    def concerns(self, p: Tensor) -> bool:
        return p.dim() == 4 and p.stride(1) == 1


class WithoutGaps(_Flat):
    """Takes slices for whole tensors, and writes between their lanes."""

    def concerns(self, p: Tensor) -> bool:
        return p.dim() == 2 and p.stride(1) == 2


class _TypeOfAnother(PlainAdam):
    """Keeps the moments in the type that some other parameter has."""

    def type_for(self, p: Tensor, group: Group) -> torch.dtype:
        raise NotImplementedError

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        kind = self.type_for(p, group)
        m.copy_(m.to(kind))
        average(m, v, g, group)
        apply(p, m, v, t, group)


class TypeOfTheFirst(_TypeOfAnother):
    """Buffers of a group are allocated at once, in the type of its first parameter."""

    def type_for(self, p: Tensor, group: Group) -> torch.dtype:
        kind: torch.dtype = group["params"][0].dtype
        return kind


class TypeOfTheFirstGroup(_TypeOfAnother):
    """The type of each group is taken from the first group."""

    def type_for(self, p: Tensor, group: Group) -> torch.dtype:
        kind: torch.dtype = self.param_groups[0]["params"][0].dtype
        return p.dtype if group is self.param_groups[0] else kind


class NothingBesideNothing(PlainAdam):
    """Takes a group with an empty tensor for an empty group."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if all(q.numel() for q in group["params"]):
            super().move(p, g, state, group)
