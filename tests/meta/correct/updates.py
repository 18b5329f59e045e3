"""Adam and AdamW with the update fused, folded, reordered, or computed in other number types."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from meta.correct.frame import AdamFrame, AdamWFrame, Group, State, corrections, moments


def average(m: Tensor, v: Tensor, g: Tensor, group: Group) -> None:
    """Both moments, in place, as torch writes them."""
    beta1, beta2 = group["betas"]
    m.mul_(beta1).add_(g, alpha=1 - beta1)
    v.mul_(beta2).addcmul_(g, g, value=1 - beta2)


class FoldedScalars(AdamFrame):
    """Both corrections in the step size, and eps scaled so that it means the same."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        c1, c2 = corrections(t, group)
        rate = group["lr"] * math.sqrt(c2) / c1
        p.addcdiv_(m, v.sqrt().add_(group["eps"] * math.sqrt(c2)), value=-rate)


class Addcdiv(AdamFrame):
    """One fused multiply, divide and add, the root divided after it is taken."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        c1, c2 = corrections(t, group)
        p.addcdiv_(m, v.sqrt().div_(math.sqrt(c2)).add_(group["eps"]), value=-group["lr"] / c1)


class ReciprocalRoot(AdamFrame):
    """The hardware's rsqrt, and its reciprocal: a second moment of 0 passes through infinity."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        c1, c2 = corrections(t, group)
        p -= (m * (group["lr"] / c1)) / ((v / c2).rsqrt().reciprocal() + group["eps"])


class ReciprocalMultiply(AdamFrame):
    """Multiplications by reciprocals where the paper divides."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        c1, c2 = corrections(t, group)
        denominator = (v * (1 / c2)).sqrt() + group["eps"]
        p += (-group["lr"]) * ((m * (1 / c1)) * denominator.reciprocal())


class OneFraction(AdamFrame):
    """The correction of the first moment multiplied into the denominator."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        c1, c2 = corrections(t, group)
        p -= (group["lr"] * m) / (c1 * (v / c2).sqrt() + c1 * group["eps"])


class Float64Inside(AdamFrame):
    """Everything widened to float64, and rounded once when it is stored."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        wide_m, wide_v, wide_p = m.double(), v.double(), p.double()
        average(wide_m, wide_v, g.double(), group)
        c1, c2 = corrections(t, group)
        wide_p -= group["lr"] * (wide_m / c1) / ((wide_v / c2).sqrt() + group["eps"])
        for kept, value in ((m, wide_m), (v, wide_v), (p, wide_p)):
            kept.copy_(value)


class NumpyInside(AdamFrame):
    """Numpy on the parameter's own memory; bfloat16 has no numpy type and is refused."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        x, dx = p.numpy(), g.numpy()
        m, v, t = (a.numpy() if isinstance(a, Tensor) else a for a in moments(p, state))
        beta1, beta2 = group["betas"]
        m[...] = beta1 * m + (1 - beta1) * dx
        v[...] = beta2 * v + (1 - beta2) * np.square(dx)
        c1, c2 = corrections(t, group)
        with np.errstate(all="ignore"):
            x -= group["lr"] * np.divide(m, c1) / (np.sqrt(np.divide(v, c2)) + group["eps"])


class OutOfPlace(AdamFrame):
    """New tensors throughout, as a traced and compiled function would make them."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        beta1, beta2 = group["betas"]
        state["m"] = torch.add(torch.mul(m, beta1), torch.mul(g, 1 - beta1))
        state["v"] = torch.add(torch.mul(v, beta2), torch.mul(torch.mul(g, g), 1 - beta2))
        c1, c2 = corrections(t, group)
        root = torch.add(torch.sqrt(torch.div(state["v"], c2)), group["eps"])
        update = torch.div(torch.mul(state["m"], group["lr"]), torch.mul(root, c1))
        p.data = torch.sub(p, update)


class TensorRate(AdamFrame):
    """The learning rate as a float32 tensor, whatever the parameter's type."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, maximize)
        for group in self.param_groups:
            group["lr"] = torch.tensor(group["lr"], dtype=torch.float32)

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        c1, c2 = corrections(t, group)
        rate = torch.as_tensor(group["lr"], dtype=torch.float32)
        p -= rate / c1 * (m / (v.sqrt() / math.sqrt(c2) + group["eps"]))


class Float32Scalars(AdamFrame):
    """Hyperparameters and corrections in float32, as a kernel's arguments are."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        one, (beta1, beta2) = np.float32(1), map(np.float32, group["betas"])
        m.mul_(float(beta1)).add_(g, alpha=float(one - beta1))
        v.mul_(float(beta2)).addcmul_(g, g, value=float(one - beta2))
        rate = np.float32(group["lr"]) / (one - beta1**t)
        root = v.sqrt() / float(np.sqrt(one - beta2**t))
        p -= float(rate) * m / (root + float(np.float32(group["eps"])))


class FoldedDecay(AdamWFrame):
    """AdamW with the decay as one factor, in one line with the update."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        c1, c2 = corrections(t, group)
        keep, rate = 1 - group["lr"] * group["weight_decay"], group["lr"] / c1
        p.copy_(keep * p - rate * m / ((v / c2).sqrt() + group["eps"]))


class JointDecay(AdamWFrame):
    """AdamW with the decay inside the bracket that lr multiplies."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        c1, c2 = corrections(t, group)
        step = (m / c1) / ((v / c2).sqrt() + group["eps"])
        p.sub_(step.add_(p, alpha=group["weight_decay"]), alpha=group["lr"])


class LargestByReciprocal(AdamFrame):
    """AMSGrad that keeps the smallest reciprocal of the root instead of the largest moment."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        smallest = state.setdefault("smallest", torch.full_like(p, math.inf))
        torch.minimum(smallest, v.rsqrt(), out=smallest)
        c1, c2 = corrections(t, group)
        p -= group["lr"] / c1 * m / (1 / (smallest * math.sqrt(c2)) + group["eps"])
