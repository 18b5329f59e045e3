"""Adam with D-Adaptation: the authors' package, another, and algorithm 5 by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sources import Source
from sources.prodigy import Lane, Together

if TYPE_CHECKING:
    from torch import Tensor


class AlgorithmFive(Together):
    """Algorithm 5, line by line; with a rate of zero moments shrink, and the distance stays."""

    def __init__(
        self,
        params: Any,
        lr: float = 1.0,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        d0: float = 1e-6,
        growth_rate: float = math.inf,
        decouple: bool = False,
    ) -> None:
        bad = [x for x in (lr, weight_decay, growth_rate - 1) if not x >= 0]
        bad += [x for x in (eps, d0) if not x > 0]
        if bad or not all(0 <= b < 1 for b in betas):
            raise ValueError(f"out of range: {bad or betas}")
        own = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        limits = {"d0": d0, "growth_rate": growth_rate, "decouple": decouple}
        super().__init__(params, {**own, **limits, "d": d0, "r": 0.0, "counted": 0})

    def gradient(self, p: Tensor, group: dict[str, Any]) -> Tensor:
        coupled = 0.0 if group["decouple"] else group["weight_decay"]
        return super().gradient(p, group) + coupled * p

    def advance(self, lanes: list[Lane], whole: dict[str, Any]) -> None:
        rate, (beta1, beta2) = self.rate(whole), whole["betas"]
        root = math.sqrt(beta2)
        added = 0.0
        for _, g, state, group in lanes:
            metric = state["v"].sqrt() + group["eps"]
            added += (g * state["s"] / metric).sum().item()
            state["m"].mul_(beta1).add_(g, alpha=(1 - beta1) * rate)
            state["v"].mul_(beta2).addcmul_(g, g, value=1 - beta2)
            state["s"].mul_(root).add_(g, alpha=(1 - root) * rate)
        size = sum(state["s"].abs().sum().item() for _, _, state, _ in lanes)
        if size == 0:
            return
        whole["r"] = root * whole["r"] + (1 - root) * rate * added
        whole["counted"] += 1
        if whole["lr"] > 0:
            found = whole["r"] / ((1 - root) * size)
            whole["d"] = max(whole["d"], min(found, whole["d"] * whole["growth_rate"]))
        for p, _, state, group in lanes:
            if group["decouple"]:
                p.sub_(p, alpha=rate * group["weight_decay"])
            p.sub_(state["m"] / (state["v"].sqrt() + group["eps"]))

    def rate(self, whole: dict[str, Any]) -> float:
        rate: float = whole["d"] * whole["lr"]
        return rate


class Released(AlgorithmFive):
    """As the authors release it: nothing happens while the learning rate is zero."""

    def advance(self, lanes: list[Lane], whole: dict[str, Any]) -> None:
        if whole["lr"] > 0:
            super().advance(lanes, whole)


class Corrected(Released):
    """With Adam's corrections in the rate."""

    def rate(self, whole: dict[str, Any]) -> float:
        (beta1, beta2), t = whole["betas"], whole["counted"] + 1
        return super().rate(whole) * math.sqrt(1 - beta2**t) / (1 - beta1**t)


def _box(dialect: str, subject: type, what: str, **keywords: Any) -> Source:
    return Source(dialect, subject, keywords, paper=f"arXiv:2301.07733, algorithm 5{what}")


def _package(dialect: str, **keywords: Any) -> Source:
    defects = {} if keywords.get("decouple") else DEFECTS
    return Source(dialect, "dadaptation:DAdaptAdam", keywords, defects=defects)


DEFECTS = {"gradients/untouched": "adds weight decay to p.grad itself"}
SOURCES = (
    _package("dadapt-adam/authors"),
    _box("dadapt-adam/authors", Released, ", as released"),
    _package("dadapt-adam/decoupled", decouple=True),
    _box("dadapt-adam/decoupled", Released, ", decoupled", decouple=True),
    _package("dadapt-adam/corrected", use_bias_correction=True),
    _box("dadapt-adam/corrected", Corrected, ", corrected"),
    Source("dadapt-adam/running", "pytorch_optimizer:DAdaptAdam", defects=DEFECTS),
    _box("dadapt-adam/running", AlgorithmFive, ""),
)
