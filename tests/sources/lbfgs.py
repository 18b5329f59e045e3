"""L-BFGS: torch's, and the textbook's two loops and line search on one vector."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from sources import Source


class TwoLoops(torch.optim.Optimizer):
    """Algorithm 7.4 inside algorithm 7.5, with the step length of the first line for all lines.

    Pairs (s, y) without positive curvature are not stored, and the first step is at most as long
    as lr in the sum of its entries.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int = 25,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
    ) -> None:
        own = {"lr": lr, "max_iter": max_iter, "max_eval": max_eval, "history_size": history_size}
        for name, value in own.items():
            if value < (name in ("max_eval", "history_size")):
                raise ValueError(f"{name} is {value}")
        tolerances = {"tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change}
        super().__init__(params, {**own, **tolerances})
        (group,) = self.param_groups
        self.x: list[Tensor] = group["params"]

    @torch.no_grad()
    def step(self, closure: Any) -> Any:
        group, kept = self.param_groups[0], self.state[self.x[0]]
        pairs = deque(kept.get("pairs", ()), maxlen=group["history_size"])
        first, g = self.evaluate(closure)
        f, calls, k = float(first), 1, 0
        while k < group["max_iter"] and not g.abs().max() <= group["tolerance_grad"]:
            if "p" in kept:
                s, y = kept["alpha"] * kept["p"], g - kept["g"]
                if y @ s > 1e-10:
                    pairs.append((s, y))
                    kept["gamma"] = (s @ y) / (y @ y)
                kept["p"], kept["alpha"] = (
                    -two_loops(g, list(pairs), kept["gamma"]),
                    float(group["lr"]),
                )
            else:
                shrink = min(1.0, 1 / float(g.abs().sum()))
                kept.update(p=-g, alpha=shrink * float(group["lr"]), gamma=1.0)
            kept["pairs"], kept["g"], last, k = list(pairs), g, f, k + 1
            if g @ kept["p"] > -group["tolerance_change"]:
                break
            if k == group["max_iter"] and self.last_is_free:
                self.move(kept["alpha"] * kept["p"])
                break
            f, g, more = self.go(closure, f, g, group["max_eval"] - calls)
            calls += more
            small = (kept["alpha"] * kept["p"]).abs().max() <= group["tolerance_change"]
            if calls >= group["max_eval"] or small or abs(f - last) < group["tolerance_change"]:
                break
        return first

    last_is_free = True

    def go(self, closure: Any, f: float, g: Tensor, left: int) -> tuple[float, Tensor, int]:
        """Loss and gradient at the end of the line, and how many evaluations they took."""
        kept = self.state[self.x[0]]
        self.move(kept["alpha"] * kept["p"])
        loss, g = self.evaluate(closure)
        return float(loss), g, 1

    def move(self, by: Tensor) -> None:
        vector_to_parameters(parameters_to_vector(self.x) + by, self.x)

    def evaluate(self, closure: Any) -> tuple[Any, Tensor]:
        with torch.enable_grad():
            loss = closure()
        return loss, torch.cat([p.grad.reshape(-1) for p in self.x])


def two_loops(g: Tensor, pairs: list[tuple[Tensor, Tensor]], gamma: Any) -> Tensor:
    """Algorithm 7.4: H g, the latest pair first on the way down and last on the way up."""
    q, alphas = g.clone(), []
    for s, y in reversed(pairs):
        alphas.append((s @ q) / (y @ s))
        q = q - alphas[-1] * y
    r = gamma * q
    for (s, y), alpha in zip(pairs, reversed(alphas), strict=True):
        r = r + s * (alpha - (y @ r) / (y @ s))
    return r


@dataclass
class End:
    """A point of the line: step length, loss, gradient and slope there."""

    t: float
    f: float
    g: Tensor
    slope: float


class StrongWolfe(TwoLoops):
    """The same with the line search of algorithms 3.5 and 3.6.

    As in minFunc trial steps are minima of cubics (3.59), kept away from the ends of the bracket
    where they stay near them, and all searches of a step share its evaluations.
    """

    last_is_free = False

    def go(self, closure: Any, f: float, g: Tensor, left: int) -> tuple[float, Tensor, int]:
        kept = self.state[self.x[0]]
        p, start, calls = kept["p"], parameters_to_vector(self.x), 0

        def phi(t: float) -> End:
            nonlocal calls
            vector_to_parameters(start + t * p, self.x)
            loss, slope = self.evaluate(closure)
            calls += 1
            return End(t, float(loss), slope, float(slope @ p))

        near = 1e-9 / float(p.abs().max())
        end = search(phi, End(0.0, f, g, float(g @ p)), float(kept["alpha"]), left, near)
        vector_to_parameters(start + end.t * p, self.x)
        kept["alpha"] = end.t
        return end.f, end.g, calls


def search(phi: Any, zero: End, alpha: float, rounds: int, near: float) -> End:
    """Algorithm 3.5: steps grow until two of them bracket a point that algorithm 3.6 finds."""
    before, here = zero, phi(alpha)
    for i in range(rounds):
        if rises(here, zero) or (i > 1 and here.f >= before.f):
            return zoom(phi, zero, [before, here], rounds - i, near)
        if abs(here.slope) <= -0.9 * zero.slope:
            return here
        if here.slope >= 0:
            return zoom(phi, zero, [before, here], rounds - i, near)
        between = here.t + 0.01 * (here.t - before.t), 10 * here.t
        before, here = here, phi(cubic(before, here, *between))
    return here if here.f < zero.f or math.isnan(here.f) else zero


def rises(end: End, zero: End) -> bool:
    """Whether it is too high for a sufficient decrease."""
    return end.f > zero.f + 1e-4 * end.t * zero.slope


def zoom(phi: Any, zero: End, ends: list[End], rounds: int, near: float) -> End:
    """Algorithm 3.6, on two ends of which one is the best point so far."""
    best, other = sorted(ends, key=lambda e: e.f)
    idle = False
    for _ in range(rounds):
        first, last = sorted((best.t, other.t))
        if last - first < near:
            break
        t, margin = cubic(best, other, first, last), 0.1 * (last - first)
        aside = min(last - t, t - first) < margin
        if aside and (idle or not first < t < last):
            t = last - margin if last - t < t - first else first + margin
            aside = False
        idle = aside
        trial = phi(t)
        if rises(trial, zero) or trial.f >= best.f:
            best, other = sorted((best, trial), key=lambda e: e.f)
            continue
        if abs(trial.slope) <= -0.9 * zero.slope:
            return trial
        turned = trial.slope * (other.t - best.t) >= 0
        best, other = trial, best if turned else other
    return best


def cubic(one: End, two: End, low: float, high: float) -> float:
    """The minimum (3.59) of the cubic through two ends, or the middle where it has none."""
    if one.t == two.t:
        return (low + high) / 2
    d1 = one.slope + two.slope - 3 * (one.f - two.f) / (one.t - two.t)
    square = d1 * d1 - one.slope * two.slope
    if not square >= 0:
        return (low + high) / 2
    a, b = sorted((one, two), key=lambda e: e.t)
    d2 = math.sqrt(square)
    t = b.t - (b.t - a.t) * (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2)
    return min(max(t, low), high)


HISTORY = {
    "hyperparameters/history-size-changed": "a list as long as history_size was at first is kept"
}
BOOK = "Nocedal and Wright 2006, algorithms"
ALIAS = {"modes/lr-tensor": "keeps the tensor itself as the length of the last step"}
SOURCES = (
    Source("lbfgs/torch", "torch.optim:LBFGS", defects={**HISTORY, **ALIAS}),
    Source(
        "lbfgs/strong-wolfe",
        "torch.optim:LBFGS",
        keywords={"line_search_fn": "strong_wolfe"},
        defects={**HISTORY, **ALIAS},
    ),
    Source("lbfgs/torch", TwoLoops, paper=f"{BOOK} 7.4 and 7.5"),
    Source("lbfgs/strong-wolfe", StrongWolfe, paper=f"{BOOK} 3.5, 3.6, 7.4 and 7.5"),
)
