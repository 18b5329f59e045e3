"""Prodigy: the authors' package, another, and algorithm 4 by hand."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from sources import Source

Lane = tuple[Tensor, Tensor, dict[str, Any], dict[str, Any]]


class Together(torch.optim.Optimizer):
    """All parameters side by side; what they share stands in the first group."""

    def step(self, closure: Any = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        with torch.no_grad():
            lanes = [
                (p, self.gradient(p, group), self.state[p], group)
                for group in self.param_groups
                for p in group["params"]
                if p.grad is not None
            ]
            for p, _, state, _ in lanes:
                zeros = torch.zeros_like
                if not state:
                    state.update(x0=p.detach().clone(), m=zeros(p), v=zeros(p), s=zeros(p))
            self.advance(lanes, self.param_groups[0])
        return loss

    def gradient(self, p: Tensor, group: dict[str, Any]) -> Tensor:
        return p.grad.clone() if p.grad is not None else torch.zeros_like(p)

    def advance(self, lanes: list[Lane], whole: dict[str, Any]) -> None:
        raise NotImplementedError


class AlgorithmFour(Together):
    """Algorithm 4; the distance d and the average r of the way are shared."""

    def __init__(
        self,
        params: Any,
        lr: float = 1.0,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        d0: float = 1e-6,
        d_coef: float = 1.0,
        growth_rate: float = math.inf,
        **more: Any,
    ) -> None:
        bad = [x for x in (lr, weight_decay, growth_rate - 1) if not x >= 0]
        bad += [x for x in (eps, d0, d_coef) if not x > 0]
        if bad or not all(0 <= b < 1 for b in betas):
            raise ValueError(f"out of range: {bad or betas}")
        own = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        limits = {"d0": d0, "d_coef": d_coef, "growth_rate": growth_rate}
        kept = {"d": d0, "largest": d0, "r": 0.0, "counted": 0}
        super().__init__(params, {**own, **limits, **kept, **more})

    def advance(self, lanes: list[Lane], whole: dict[str, Any]) -> None:
        d, rate = whole["d"], self.rate(whole)
        beta3, (a, b) = self.beta3(whole), self.weights(whole)
        for _, g, state, _ in lanes:
            beta1, beta2 = whole["betas"]
            state["m"].mul_(beta1).add_(g, alpha=(1 - beta1) * d)
            state["v"].mul_(beta2).addcmul_(g, g, value=(1 - beta2) * d**2)
            state["s"].mul_(beta3).add_(g, alpha=b)
        size = sum(state["s"].abs().sum().item() for _, _, state, _ in lanes)
        if size == 0:
            return
        way = sum((g * (state["x0"] - p)).sum().item() for p, g, state, _ in lanes)
        whole["r"] = beta3 * whole["r"] + a * way
        whole["d"] = self.next_distance(whole["d_coef"] * whole["r"] / size, whole)
        whole["counted"] += 1
        for p, _, state, group in lanes:
            p.sub_(p, alpha=rate * self.shrink(group))
            p.sub_(rate * state["m"] / (state["v"].sqrt() + self.scale(d, whole) * group["eps"]))

    def rate(self, whole: dict[str, Any]) -> float:
        rate: float = whole["lr"] * whole["d"]
        return rate

    def beta3(self, whole: dict[str, Any]) -> float:
        return math.sqrt(whole["betas"][1])

    def weights(self, whole: dict[str, Any]) -> tuple[float, float]:
        """Of what a step adds to r, and to s."""
        weight = (1 - self.beta3(whole)) * whole["d"] * self.rate(whole)
        return weight, weight

    def next_distance(self, estimate: float, whole: dict[str, Any]) -> float:
        """The largest estimate so far, but not more than growth_rate times what it was."""
        d = whole["d"]
        whole["largest"] = max(whole["largest"], estimate)
        reached = max(d, estimate) if d == whole["d0"] else d
        return min(whole["largest"], reached * whole["growth_rate"])

    def shrink(self, group: dict[str, Any]) -> float:
        decay: float = group["weight_decay"]
        return decay

    def scale(self, before: float, whole: dict[str, Any]) -> float:
        """The distance by which eps is scaled."""
        return before


class Running(AlgorithmFour):
    """In units of d0, with the new distance for eps."""

    def weights(self, whole: dict[str, Any]) -> tuple[float, float]:
        weight = whole["d"] / whole["d0"] * self.rate(whole)
        return weight, weight

    def scale(self, before: float, whole: dict[str, Any]) -> float:
        distance: float = whole["d"]
        return distance


class Released(Running):
    """As the authors release it: nothing happens while the learning rate is zero."""

    def advance(self, lanes: list[Lane], whole: dict[str, Any]) -> None:
        if whole["lr"] > 0:
            super().advance(lanes, whole)


class Corrected(Released):
    """With Adam's corrections in the rate."""

    def rate(self, whole: dict[str, Any]) -> float:
        (beta1, beta2), t = whole["betas"], whole["counted"] + 1
        return super().rate(whole) * math.sqrt(1 - beta2**t) / (1 - beta1**t)


class Safeguarded(Released):
    """Without the learning rate in s."""

    def weights(self, whole: dict[str, Any]) -> tuple[float, float]:
        return super().weights(whole)[0], whole["d"] ** 2 / whole["d0"]


class Penalized(Released):
    """With an L2 penalty."""

    def gradient(self, p: Tensor, group: dict[str, Any]) -> Tensor:
        return super().gradient(p, group) + group["weight_decay"] * p

    def shrink(self, group: dict[str, Any]) -> float:
        return 0.0


class Smoothed(Released):
    """With a decay rate of its own for r and s."""

    def __init__(self, params: Any, beta3: float = 0.999**0.5, **rest: Any) -> None:
        if not 0 <= beta3 < 1:
            raise ValueError(f"beta3 is {beta3}")
        super().__init__(params, beta3=beta3, **rest)

    def beta3(self, whole: dict[str, Any]) -> float:
        beta3: float = whole["beta3"]
        return beta3


def _box(dialect: str, subject: type, what: str = "") -> Source:
    return Source(dialect, subject, paper=f"arXiv:2306.06101, algorithm 4{what}")


def _package(dialect: str, **keywords: Any) -> Source:
    defects = DEFECTS if keywords == {"decouple": False} else {}
    # With beta1 = 0 prodigyopt scales the gradient by the distance after the step, not by the one
    # before it as with every other beta1: a finding of its own.
    return Source(dialect, "prodigyopt:Prodigy", keywords, fixed=("beta1",), defects=defects)


DEFECTS = {"gradients/untouched": "adds weight decay to p.grad itself"}
SOURCES = (
    _package("prodigy/authors"),
    _box("prodigy/authors", Released, ", as released"),
    _box("prodigy/paper", AlgorithmFour),
    _package("prodigy/corrected", use_bias_correction=True),
    _box("prodigy/corrected", Corrected, ", corrected"),
    _package("prodigy/safeguarded", safeguard_warmup=True),
    _box("prodigy/safeguarded", Safeguarded, ", safeguarded"),
    _package("prodigy/l2", decouple=False),
    _box("prodigy/l2", Penalized, ", penalized"),
    _package("prodigy/own-smoothing"),
    _box("prodigy/own-smoothing", Smoothed, ", smoothed"),
    Source("prodigy/running", "pytorch_optimizer:Prodigy"),
    _box("prodigy/running", Running, ", in units of d0"),
)
