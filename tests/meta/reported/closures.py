"""SAM and L-BFGS, which evaluate the gradient themselves."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.optim import lbfgs

from meta.reported.frame import TRAJECTORY, Defect
from meta.reported.sgd import SGD

Closure = Callable[[], Any]
search = lbfgs._strong_wolfe


class SAM(SGD):
    """Correct: algorithm 1 of the paper around torch's SGD."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0.0,
        rho: float = 0.05,
        perturb_eps: float = 1e-12,
    ) -> None:
        super().__init__(params, lr, momentum)
        for group in self.param_groups:
            group.setdefault("rho", rho)
            group.setdefault("perturb_eps", perturb_eps)
        self.defaults.update(rho=rho, perturb_eps=perturb_eps)

    def step(self, closure: Closure | None = None) -> Any:
        if closure is None:
            raise TypeError("SAM evaluates the gradient twice: step() needs a closure")
        loss = self.evaluate(closure)
        with torch.no_grad():
            before = self.climb()
        self.again(closure)
        with torch.no_grad():
            for p, kept in before:
                p.copy_(kept)
            self.update()
        return loss

    def climb(self) -> list[tuple[Tensor, Tensor]]:
        graded = [(p, g) for g in self.param_groups for p in g["params"] if p.grad is not None]
        length = sum(float((p.grad**2).sum()) for p, _ in graded) ** 0.5
        before = [(p, p.clone()) for p, _ in graded]
        for p, group in graded:
            p.add_(p.grad * (group["rho"] / self.floored(length, group["perturb_eps"])))
        return before

    def floored(self, length: float, eps: float) -> float:
        return length + eps

    def again(self, closure: Closure) -> None:
        self.evaluate(closure)


class SecondCallWithoutGradients(SAM):
    """SAM's users who enabled gradients around the first call met an error in the second."""

    def again(self, closure: Closure) -> None:
        with torch.no_grad():
            closure()


class NormNotFloored(SAM):
    """optax's SAM divided by the norm alone, which is zero at a minimum."""

    def floored(self, length: float, eps: float) -> float:
        return length or float("nan")


class InnerStateNotSaved(SAM):
    """SAM saved its own state, and the optimizer inside lost its momentum."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({**state_dict, "state": {}})


class LBFGS(torch.optim.Optimizer):
    """Correct: torch's without its line search."""

    def __init__(
        self,
        params: Any,
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
    ) -> None:
        counts = {"max_iter": max_iter, "max_eval": max_eval, "history_size": history_size}
        tolerances = {"tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change}
        super().__init__(params, {"lr": lr, **counts, **tolerances})

    def step(self, closure: Closure) -> Any:
        group, common = self.param_groups[0], self.common()
        limit = group["max_iter"] * 5 // 4 if group["max_eval"] is None else group["max_eval"]
        first, g = self.evaluate(closure)
        loss, used = first, 1
        if g.abs().max() <= group["tolerance_grad"]:
            return first
        for n in range(group["max_iter"]):
            d = self.direction(g, common, group)
            before = float(loss)
            t = min(1.0, 1.0 / float(g.abs().sum())) * group["lr"] if self.begins else group["lr"]
            common.update(d=d, t=t, g=g)
            if g.dot(d) > -group["tolerance_change"]:
                break
            self.advance(t * d)
            if n + 1 == group["max_iter"]:
                break
            loss, g = self.evaluate(closure)
            used += 1
            still = (d * t).abs().max() <= group["tolerance_change"]
            level = abs(float(loss) - before) < group["tolerance_change"]
            if used >= limit or g.abs().max() <= group["tolerance_grad"] or still or level:
                break
        return first

    begins = False

    def common(self) -> dict[str, Any]:
        """What belongs to the whole optimizer lies with its first parameter."""
        common: dict[str, Any] = self.state[self.param_groups[0]["params"][0]]
        return common

    def evaluate(self, closure: Closure) -> tuple[Any, Tensor]:
        with torch.enable_grad():
            loss = closure()
        return loss, self.gradient()

    def gradient(self) -> Tensor:
        params = self.param_groups[0]["params"]
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in params]
        return torch.cat([g.reshape(-1) for g in grads])

    @torch.no_grad()
    def advance(self, step: Tensor) -> None:
        for p in self.param_groups[0]["params"]:
            own, step = step[: p.numel()], step[p.numel() :]
            p.add_(own.view_as(p))

    def direction(self, g: Tensor, kept: dict[str, Any], group: dict[str, Any]) -> Tensor:
        self.begins = "d" not in kept
        if self.begins:
            kept.update(ys=[], ss=[], h=1.0)
            return -g
        self.remember(g - kept["g"], kept["d"] * kept["t"], kept)
        for name in ("ys", "ss"):
            kept[name] = kept[name][-group["history_size"] :]
        pairs = list(zip(kept["ys"], kept["ss"], strict=True))
        factors, q = [], -g
        for y, s in reversed(pairs):
            factors.append(s.dot(q) / y.dot(s))
            q = q - factors[-1] * y
        q = q * kept["h"]
        for (y, s), a in zip(pairs, reversed(factors), strict=True):
            q = q + (a - y.dot(q) / y.dot(s)) * s
        return q

    def remember(self, y: Tensor, s: Tensor, kept: dict[str, Any]) -> None:
        if y.dot(s) > 1e-10:
            kept["ys"], kept["ss"] = [*kept["ys"], y], [*kept["ss"], s]
            kept["h"] = float(y.dot(s) / y.dot(y))


class SearchUnlimited(torch.optim.LBFGS):
    """torch's line search had 25 evaluations of its own, whatever max_eval left."""

    def step(self, closure: Closure) -> Any:
        def unlimited(*arguments: Any, **keywords: Any) -> Any:
            return search(*arguments, **{**keywords, "max_ls": 25})

        with patch.object(lbfgs, "_strong_wolfe", unlimited):
            return super().step(closure)


class SearchTwice(torch.optim.LBFGS):
    """LibTorch ran every line search twice, and used the second."""

    def step(self, closure: Closure) -> Any:
        def twice(*arguments: Any, **keywords: Any) -> Any:
            search(*arguments, **keywords)
            return search(*arguments, **keywords)

        with patch.object(lbfgs, "_strong_wolfe", twice):
            return super().step(closure)


class GradientInSingle(LBFGS):
    """pytorch-minimize took everything through float32, parameters in float64 too."""

    def gradient(self) -> Tensor:
        gathered = super().gradient()
        return gathered.float().to(gathered.dtype)


class HistoryOneLate(LBFGS):
    """gonum's history of differences was one iteration behind."""

    def remember(self, y: Tensor, s: Tensor, kept: dict[str, Any]) -> None:
        if "late" in kept:
            super().remember(*kept["late"], kept)
        kept["late"] = y, s


SAM_, PLAIN, WOLFE = "sam/paper(sgd)", "lbfgs/torch", "lbfgs/strong-wolfe"
searching = {"line_search_fn": "strong_wolfe"}
CORRECT = ((SAM, SAM_), (LBFGS, PLAIN))
REPORTED = (
    Defect(
        SecondCallWithoutGradients, SAM_, "davda54/sam#90", "closures", "closure/gradients-enabled"
    ),
    Defect(
        NormNotFloored,
        SAM_,
        "google-deepmind/optax#1743",
        "equations",
        TRAJECTORY,
        "scale: second term missing",
    ),
    Defect(InnerStateNotSaved, SAM_, "davda54/sam#39", "state", "state/resume"),
    Defect(
        partial(SearchUnlimited, **searching),
        WOLFE,
        "pytorch/pytorch#91581",
        "closures",
        "closure/calls",
    ),
    Defect(
        partial(SearchTwice, **searching),
        WOLFE,
        "pytorch/pytorch#36453",
        "closures",
        "closure/calls",
    ),
    Defect(
        HistoryOneLate,
        PLAIN,
        "gonum/optimize#8",
        "state",
        TRAJECTORY,
        why="a delay of one iteration is in no equation",
    ),
    Defect(
        GradientInSingle,
        PLAIN,
        "gngdb/pytorch-minimize#2",
        "dtypes",
        TRAJECTORY,
        why="a type that is too narrow is in no equation",
    ),
)
UNSEEN: tuple[Defect, ...] = ()
