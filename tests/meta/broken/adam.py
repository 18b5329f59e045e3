"""Adam and AdamW with one mistake in their equations, as libraries have had them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from meta.correct.frame import (
    AdamFrame,
    AdamWFrame,
    Group,
    State,
    apply,
    corrections,
    moments,
)
from meta.correct.updates import average


class EpsInsideRoot(AdamFrame):
    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        c1, c2 = corrections(t, group)
        p -= group["lr"] * (m / c1) / (v / c2 + group["eps"]).sqrt()


class EpsBeforeCorrection(AdamFrame):
    """eps is added to the root of the raw moment, and divided by the correction with it."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        c1, c2 = corrections(t, group)
        p -= group["lr"] * c2**0.5 / c1 * m / (v.sqrt() + group["eps"])


class EpsSquared(AdamFrame):
    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        c1, c2 = corrections(t, group)
        p -= group["lr"] * (m / c1) / (v / c2 + group["eps"] ** 2).sqrt()


class EpsIgnored(AdamFrame):
    """A constant instead of the argument."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        apply(p, m, v, t, {**group, "eps": 1e-8})


class EpsAsClamp(AdamFrame):
    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        c1, c2 = corrections(t, group)
        p -= group["lr"] * (m / c1) / (v / c2).sqrt().clamp(min=group["eps"])


class NoCorrection(AdamFrame):
    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, _ = moments(p, state)
        average(m, v, g, group)
        p -= group["lr"] * m / (v.sqrt() + group["eps"])


class FirstCorrectedOnly(AdamFrame):
    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        p -= group["lr"] * (m / corrections(t, group)[0]) / (v.sqrt() + group["eps"])


class StepCountedTwice(AdamFrame):
    """The count is already advanced when one is added for the correction."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        apply(p, m, v, t + 1, group)


class StepOfAllParameters(AdamFrame):
    """One counter, advanced in the loop over parameters."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, _ = moments(p, state)
        group["calls"] = group.get("calls", 0) + 1
        average(m, v, g, group)
        apply(p, m, v, group["calls"], group)


class BetasSwapped(AdamFrame):
    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        swapped = {**group, "betas": group["betas"][::-1]}
        average(m, v, g, swapped)
        apply(p, m, v, t, swapped)


class SecondBetaHardCoded(AdamFrame):
    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        m.mul_(group["betas"][0]).add_(g, alpha=1 - group["betas"][0])
        v.mul_(0.999).addcmul_(g, g, value=1 - 0.999)
        apply(p, m, v, t, {**group, "betas": (group["betas"][0], 0.999)})


class WithoutOneMinusBeta(AdamFrame):
    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        m.mul_(group["betas"][0]).add_(g)
        v.mul_(group["betas"][1]).addcmul_(g, g, value=1 - group["betas"][1])
        apply(p, m, v, t, group)


class SquareOfMoment(AdamFrame):
    """The second moment averages the square of the first instead of the gradient's."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        m.lerp_(g, 1 - group["betas"][0])
        v.lerp_(m * m, 1 - group["betas"][1])
        apply(p, m, v, t, group)


class BetasThroughHalf(AdamFrame):
    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        coarse = torch.tensor(group["betas"], dtype=torch.float16).tolist()
        average(m, v, g, {**group, "betas": coarse})
        apply(p, m, v, t, {**group, "betas": coarse})


class HiddenClip(AdamFrame):
    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        g = g.clamp(-1, 1)
        average(m, v, g, group)
        apply(p, m, v, t, group)


class SkipsZeros(AdamFrame):
    """Lanes with a zero gradient are not updated at all, as in sparse code."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        old, present = p.clone(), g != 0
        m.copy_(torch.where(present, torch.lerp(m, g, 1 - group["betas"][0]), m))
        v.copy_(torch.where(present, torch.lerp(v, g * g, 1 - group["betas"][1]), v))
        apply(p, m, v, t, group)
        p.copy_(torch.where(present, p, old))


class StateInHalf(AdamFrame):
    """float32 parameters with their moments in bfloat16, and nobody is told."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if not state:
            zeros = torch.zeros_like(p, dtype=torch.bfloat16)
            state.update(step=0, m=zeros.clone(), v=zeros.clone())
        m, v, t = moments(p, state)
        wide = m.to(p.dtype), v.to(p.dtype)
        average(*wide, g, group)
        m.copy_(wide[0])
        v.copy_(wide[1])
        apply(p, *wide, t, group)


class MaximumOfCorrected(AdamFrame):
    """AMSGrad, the maximum taken after the correction."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        c1, c2 = corrections(t, group)
        largest = state.setdefault("largest", torch.zeros_like(p))
        torch.maximum(largest, v / c2, out=largest)
        p -= group["lr"] * (m / c1) / (largest.sqrt() + group["eps"])


class MaximumNotStored(AdamFrame):
    """AMSGrad, out of place where in place was meant."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        largest = state.setdefault("largest", torch.zeros_like(p))
        apply(p, m, torch.maximum(largest, v), t, group)


class PlainL2(AdamWFrame):
    """AdamW that adds the decay to the gradient."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g + group["weight_decay"] * p, group)
        apply(p, m, v, t, group)


class DecayAfter(AdamWFrame):
    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        apply(p, m, v, t, group)
        p.mul_(1 - group["lr"] * group["weight_decay"])


class DecayNotScaled(AdamWFrame):
    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        p.mul_(1 - group["weight_decay"])
        m, v, t = moments(p, state)
        average(m, v, g, group)
        apply(p, m, v, t, group)


class DecayInFirstMomentOnly(AdamWFrame):
    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        v.mul_(group["betas"][1]).addcmul_(g, g, value=1 - group["betas"][1])
        m.lerp_(g + group["weight_decay"] * p, 1 - group["betas"][0])
        apply(p, m, v, t, group)


class NoDecayOfVectors(AdamWFrame):
    """Biases and norms are not decayed, whatever the group says."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if p.dim() > 1:
            p.mul_(1 - group["lr"] * group["weight_decay"])
        m, v, t = moments(p, state)
        average(m, v, g, group)
        apply(p, m, v, t, group)


class MaximizeIgnored(AdamFrame):
    def step(self, closure: Any = None) -> Any:
        flags = [group["maximize"] for group in self.param_groups]
        for group in self.param_groups:
            group["maximize"] = False
        loss = super().step(closure)
        for group, flag in zip(self.param_groups, flags, strict=True):
            group["maximize"] = flag
        return loss

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        apply(p, m, v, t, group)


class MaximizeTwice(AdamFrame):
    """The gradient is negated, and so is the update."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        sign = -1 if group["maximize"] else 1
        apply(p, m, v, t, {**group, "lr": sign * group["lr"]})
