"""Adam with its moments written, scaled or stored in unusual ways."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from meta.correct.frame import AdamFrame, Group, State, apply, corrections, moments


class DeltaForm(AdamFrame):
    """Each moment moves by a share of its distance from the new value."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        beta1, beta2 = group["betas"]
        m, v, t = moments(p, state)
        m += (1 - beta1) * (g - m)
        v += (1 - beta2) * (g * g - v)
        apply(p, m, v, t, group)


class Lerp(AdamFrame):
    """Moments by linear interpolation."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        beta1, beta2 = group["betas"]
        m, v, t = moments(p, state)
        m.lerp_(g, 1 - beta1)
        v.lerp_(g.square(), 1 - beta2)
        apply(p, m, v, t, group)


class UnstableOrder(AdamFrame):
    """The old value's share of a difference: where the gradient is large, digits cancel.

    In float32 at least: of 1 - 0.999 nothing would be left in bfloat16, and no moment at all.
    """

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        beta1, beta2 = group["betas"]
        m, v, t = moments(p, state)
        g = g.to(torch.promote_types(g.dtype, torch.float32))
        m.copy_(g + beta1 * (m - g))
        v.copy_(g**2 + beta2 * (v - g**2))
        apply(p, m, v, t, group)


class SwappedSums(AdamFrame):
    """Every sum and product with its terms the other way round, and a factor moved."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        beta1, beta2 = group["betas"]
        m, v, t = moments(p, state)
        m.copy_((g - beta1 * g) + m * beta1)
        v.copy_(g * ((1 - beta2) * g) + v * beta2)
        c1, c2 = corrections(t, group)
        p.copy_(-(m * group["lr"]) / c1 / (group["eps"] + torch.sqrt(v / c2)) + p)


class Sums(AdamFrame):
    """Moments without their factor 1 - beta, which enters with the correction."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        beta1, beta2 = group["betas"]
        m, v, t = moments(p, state)
        m.mul_(beta1).add_(g)
        v.mul_(beta2).addcmul_(g, g)
        apply(p, m * (1 - beta1), v * (1 - beta2), t, group)


class CorrectedMoments(AdamFrame):
    """The corrected moments are what is kept."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        beta1, beta2 = group["betas"]
        m, v, t = moments(p, state)
        (b1, b2), (c1, c2) = corrections(t - 1, group), corrections(t, group)
        m.copy_((beta1 * b1 * m + (1 - beta1) * g) / c1)
        v.copy_((beta2 * b2 * v + (1 - beta2) * g * g) / c2)
        p -= group["lr"] * m / (v.sqrt() + group["eps"])


class NegatedMoment(AdamFrame):
    """The first moment of the descent direction, and a negative rate."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        beta1, beta2 = group["betas"]
        m, v, t = moments(p, state)
        m.mul_(beta1).sub_(g, alpha=1 - beta1)
        v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        c1, c2 = corrections(t, group)
        p.addcdiv_(m, v.div(c2).sqrt_().add_(group["eps"]), value=group["lr"] / c1)


class RootOfSecondMoment(AdamFrame):
    """The root of the second moment is what is kept."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        beta1, beta2 = group["betas"]
        m, root, t = moments(p, state)
        m.mul_(beta1).add_(g, alpha=1 - beta1)
        root.copy_((beta2 * root**2 + (1 - beta2) * g**2).sqrt())
        c1, c2 = corrections(t, group)
        p -= group["lr"] / c1 * m / (root / math.sqrt(c2) + group["eps"])


class Hypotenuse(AdamFrame):
    """The same root, without ever squaring: gradients of 2^-80 do not underflow."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        beta1, beta2 = group["betas"]
        m, root, t = moments(p, state)
        m.mul_(beta1).add_(g, alpha=1 - beta1)
        root.copy_(torch.hypot(math.sqrt(beta2) * root, math.sqrt(1 - beta2) * g))
        c1, c2 = corrections(t, group)
        p -= group["lr"] * (m / c1) / (root / math.sqrt(c2) + group["eps"])


class RunningPowers(AdamFrame):
    """beta^t as a product that is carried along."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        beta1, beta2 = group["betas"]
        m, v, _ = moments(p, state)
        state["power1"] = state.get("power1", 1.0) * beta1
        state["power2"] = state.get("power2", 1.0) * beta2
        m.mul_(beta1).add_(g, alpha=1 - beta1)
        v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        rate = group["lr"] / (1 - state["power1"])
        p -= rate * m / (v.div(1 - state["power2"]).sqrt() + group["eps"])


class LogarithmsOfPowers(AdamFrame):
    """1 - beta^t as -expm1 of a sum of logarithms, which is carried along."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, _ = moments(p, state)
        c = []
        for beta, key in zip(group["betas"], ("log1", "log2"), strict=True):
            state[key] = state.get(key, 0.0) + (math.log(beta) if beta > 0 else -math.inf)
            c.append(-math.expm1(state[key]))
        beta1, beta2 = group["betas"]
        m.mul_(beta1).add_(g, alpha=1 - beta1)
        v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        p -= group["lr"] / c[0] * m / ((v / c[1]).sqrt() + group["eps"])
