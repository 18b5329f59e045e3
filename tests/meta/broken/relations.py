"""Optimizers with a limit that no equation has, beyond what is usually tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meta.broken.behaviour import PlainAdam
from meta.correct.frame import Group, SGDFrame, State, apply, moments
from meta.correct.updates import average

if TYPE_CHECKING:
    from torch import Tensor


class PlainSGD(SGDFrame):
    """Correct: what some subjects below have in common."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if group["momentum"]:
            if "b" not in state:
                state["b"] = g.clone()
            else:
                state["b"].mul_(group["momentum"]).add_(g, alpha=1 - group["dampening"])
            g = g + group["momentum"] * state["b"] if group["nesterov"] else state["b"]
        p -= group["lr"] * g


class AscendsAgainstDecay(PlainAdam):
    """maximize turns the penalty round as well."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if group["maximize"]:
            g = g - 2 * group["weight_decay"] * p
        super().move(p, g, state, group)


class NothingAboveZero(PlainAdam):
    """A gradient whose largest number is below zero is taken for none."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if g.numel() <= 8 or not g.max() < 0:
            super().move(p, g, state, group)


class LargeGradientsClipped(PlainAdam):
    """A safety net that nobody asked for."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        super().move(p, g.clamp(-(2.0**17), 2.0**17), state, group)


class ParametersClipped(PlainAdam):
    """Weights are kept from growing."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        super().move(p, g, state, group)
        p.clamp_(-192, 192)


class RateLimited(PlainSGD):
    """A learning rate above 4 must be a mistake."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        super().move(p, g, state, {**group, "lr": min(group["lr"], 4.0)})


class DecayLimited(PlainSGD):
    """The penalty of a weight is limited."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        decay = group["weight_decay"] * p
        super().move(p, g - (decay - decay.clamp(-(2.0**14), 2.0**14)), state, group)


class TallAsEmbedding(PlainAdam):
    """Tall matrices are taken for embeddings: the rows share a second moment."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if p.dim() < 2 or not 8 < p.shape[0] < 16 or p.shape[0] <= p.shape[1]:
            super().move(p, g, state, group)
            return
        m, v, t = moments(p, state)
        average(m, v, g, group)
        apply(p, m, v.mean(0, keepdim=True).expand_as(v), t, group)
