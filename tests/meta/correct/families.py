"""Algorithms beyond Adam and SGD, each in a style of its own; arguments as their plain forms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from meta.reported import adaptive, averages, belief, layerwise, moments, signs
from meta.reported.frame import Group, State, count, zeros


class NumpyRMSprop(adaptive.RMSprop):
    """Everything in numpy, on the memory of the tensors."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        kept = zeros(state, p, "second", "first", "speed")
        second, first, speed = (x.numpy() for x in kept)
        slope, place, alpha = g.numpy(), p.detach().numpy(), group["alpha"]
        second += (1 - alpha) * (np.square(slope) - second)
        spread = second
        if group["centered"]:
            first += (1 - alpha) * (slope - first)
            spread = second - np.square(first)
        step = np.divide(slope, np.sqrt(spread) + group["eps"])
        if group["momentum"] > 0:
            speed[...] = group["momentum"] * speed + step
            step = speed
        place -= group["lr"] * step


class RootOfSum(adaptive.Adagrad):
    """Keeps the root of the sum of squares, as the hypotenuse of all gradients."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if "root" not in state:
            state["root"] = torch.full_like(p, math.sqrt(group["initial_accumulator_value"]))
        state["root"] = torch.hypot(state["root"], g)
        wait = 1 + (count(state) - 1) * group["lr_decay"]
        p.addcdiv_(g / wait, state["root"] + group["eps"], value=-group["lr"])


class OneFractionUnderOneRoot(adaptive.Adadelta):
    """The ratio of roots as the root of a ratio, the averages in one tensor."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        both = state.setdefault("both", torch.zeros((2, *p.shape), dtype=p.dtype))
        rho, eps = group["rho"], group["eps"]
        both[0] = torch.lerp(both[0], g.square(), 1 - rho)
        step = g * torch.sqrt((both[1] + eps) / (both[0] + eps))
        both[1] = torch.lerp(both[1], step.square(), 1 - rho)
        p.add_(step, alpha=-group["lr"])


class LargestByWhere(adaptive.Adamax):
    """Chooses the larger lane by lane, and divides before it scales."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        mean, norm = zeros(state, p, "mean", "norm")
        beta1, beta2 = group["betas"]
        mean += (1 - beta1) * (g - mean)
        new, old = torch.where(g < 0, -g, g) + group["eps"], norm * beta2
        norm.copy_(torch.where(new > old, new, old))
        p -= mean / norm * (group["lr"] / -math.expm1(count(state) * math.log(beta1 or 5e-324)))


class LogarithmOfProduct(moments.NAdam):
    """Keeps the logarithm of the product of coefficients."""

    def apply(self, p: Tensor, g: Tensor, t: int, state: State, group: Group) -> None:
        now, later = self.coefficient(t, group), self.coefficient(t + 1, group)
        state["log"] = state.get("log", 0.0) + (math.log(now) if now else -math.inf)
        root = torch.sqrt(state["exp_avg_sq"] / (1 - group["betas"][1] ** t)).add_(group["eps"])
        ahead = state["exp_avg"] * (later / (1 - math.exp(state["log"]) * later))
        ahead.add_(g, alpha=(now - 1) / math.expm1(state["log"]))
        p.addcdiv_(ahead, root, value=-group["lr"])


class LengthAsSum(moments.RAdam):
    """The length of the average by its definition, a sum over the steps."""

    def length(self, t: int, beta2: float) -> tuple[float, float]:
        weights = [(1 - beta2) * beta2 ** (t - k) for k in range(1, t + 1)]
        centre = math.fsum(w * (t + 1 - k) for k, w in enumerate(weights, 1))
        return 2 / (1 - beta2) - 1, 2 * centre / math.fsum(weights) - 1


class DeviationByDifference(belief.AdaBelief):
    """The deviation from the mean of before, shrunk: g - m is beta1 (g - m of before)."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, s = zeros(state, p, "mean", "spread")
        beta1, beta2 = group["betas"]
        away = g - m
        m += (1 - beta1) * away
        s.lerp_((beta1 * away).square(), 1 - beta2)
        c1, c2 = self.corrections(count(state), group)
        old = p.clone()
        p.addcdiv_(m, self.denominator(s, c2, group["eps"]), value=-group["lr"] / c1)
        p -= group["lr"] * group["weight_decay"] * old


class NormsByDots(layerwise.LAMB):
    """Norms as roots of dot products, scalars last."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v = zeros(state, p, "m", "v")
        beta1, beta2 = group["betas"]
        m.lerp_(g, 1 - beta1)
        v.lerp_(g * g, 1 - beta2)
        c1, c2 = self.corrections(count(state), group)
        step = torch.addcdiv(group["weight_decay"] * p, m / c1, (v / c2).sqrt() + group["eps"])
        weight, length = (math.sqrt(torch.dot(x.flatten(), x.flatten())) for x in (p, step))
        ratio = weight / length if weight and length else 1.0
        p.add_(step, alpha=-group["lr"] * ratio)


class FlatSigns(signs.Signum):
    """All parameters of a group in one flat buffer, cut up again at the end."""

    def update(self) -> None:
        for group in self.param_groups:
            graded = [p for p in group["params"] if p.grad is not None]
            if not graded:
                continue
            flat = torch.cat([self.gradient(p, group).flatten() for p in graded])
            sizes = [p.numel() for p in graded]
            kept = torch.cat([self.kept(self.state[p], p).flatten() for p in graded])
            kept = group["momentum"] * kept + (1 - group["momentum"]) * flat
            for p, own in zip(graded, kept.split(sizes), strict=True):
                self.kept(self.state[p], p).copy_(own.view_as(p))
                p.sub_(group["lr"] * (own.view_as(p).sign() + group["weight_decay"] * p))


class AverageStored(averages.ScheduleFree):
    """Keeps the average itself, and finds the parameter between it and the base point."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if "x" not in state:
            state.update(x=p.detach().clone(), z=p.detach().clone(), total=0.0, top=0.0)
        t, warmup, beta = count(state), group["warmup_steps"], group["momentum"]
        rate = group["lr"] * min(1.0, t / warmup) if warmup else group["lr"]
        state["top"] = max(state["top"], rate)
        weight = t ** group["r"] * state["top"] ** group["weight_lr_power"]
        state["total"] += weight
        state["z"].add_(g, alpha=-rate)
        state["x"].lerp_(state["z"], self.share(weight, state["total"]))
        p.copy_(beta * state["x"] + (1 - beta) * state["z"])

    @torch.no_grad()
    def turn(self, training: bool, weight: Any) -> None:
        if training == self.training:
            return
        self.training = training
        for group in self.param_groups:
            for p in group["params"]:
                kept, beta = self.state[p], group["momentum"]
                if "x" in kept:
                    at = beta * kept["x"] + (1 - beta) * kept["z"]
                    p.copy_(at if training else kept["x"])
