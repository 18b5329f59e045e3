"""ASGD, schedule-free SGD and Lookahead, which keep an average of the parameters."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from meta.reported.frame import TRAJECTORY, Defect, Frame, Group, State, count, zeros
from meta.reported.sgd import SGD


class ASGD(Frame):
    """Correct: torch's."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        foreach: bool = False,
    ) -> None:
        numbers = {"lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0}
        more = {"weight_decay": weight_decay, "maximize": maximize, "foreach": foreach}
        super().__init__(params, {**numbers, **more})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        (average,) = zeros(state, p, "ax")
        eta, mu = state.get("eta", group["lr"]), state.get("mu", 1.0)
        p.mul_(1 - group["lambd"] * eta).sub_(eta * g)
        average.add_(mu * (p - average))
        t = self.count(state, group)
        state["eta"] = group["lr"] / (1 + group["lambd"] * group["lr"] * t) ** group["alpha"]
        state["mu"] = 1 / max(1, t - group["t0"])

    def count(self, state: State, group: Group) -> int:
        return count(state)


class ScheduleFree(Frame):
    """Correct: the authors' SGD, whose parameter is the point of the gradient."""

    def __init__(
        self,
        params: Any,
        lr: float = 1.0,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        warmup_steps: int = 0,
        r: float = 0.0,
        weight_lr_power: float = 2.0,
        *,
        maximize: bool = False,
    ) -> None:
        numbers = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "r": r}
        more = {"warmup_steps": warmup_steps, "weight_lr_power": weight_lr_power}
        super().__init__(params, {**numbers, **more, "maximize": maximize})
        self.training = True

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        z = state.setdefault("z", p.detach().clone())
        t, warmup = count(state), group["warmup_steps"]
        rate = group["lr"] * min(1.0, t / warmup) if warmup else group["lr"]
        state["lr_max"] = max(state.get("lr_max", 0.0), rate)
        weight = t ** group["r"] * state["lr_max"] ** group["weight_lr_power"]
        state["weight_sum"] = state.get("weight_sum", 0.0) + weight
        share = self.share(weight, state["weight_sum"])
        p.lerp_(z, share).add_(rate * (group["momentum"] * (1 - share) - 1) * g)
        z.sub_(rate * g)

    def share(self, weight: float, total: float) -> float:
        return weight / total if total else 0.0

    def eval(self) -> None:
        self.turn(False, lambda momentum: 1 - 1 / momentum)

    def train(self) -> None:
        self.turn(True, lambda momentum: 1 - momentum)

    @torch.no_grad()
    def turn(self, training: bool, weight: Any) -> None:
        if training == self.training:
            return
        self.training = training
        for group in self.param_groups:
            for p in group["params"]:
                if "z" in self.state[p]:
                    p.lerp_(self.state[p]["z"], weight(group["momentum"]))


class Lookahead(SGD):
    """Correct: slow weights behind torch's SGD."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        k: int = 5,
        alpha: float = 0.5,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, momentum, dampening, weight_decay, nesterov, maximize=maximize)
        for group in self.param_groups:
            group.setdefault("k", k)
            group.setdefault("alpha", alpha)
        self.defaults.update(k=k, alpha=alpha)

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        kept = self.kept(p, state)
        slow = kept.setdefault("slow", p.detach().clone())
        super().move(p, g, state, group)
        if count(kept) % group["k"] == 0:
            p.copy_(slow.lerp_(p, group["alpha"]))

    def kept(self, p: Tensor, state: State) -> State:
        return state


class OneStepForAll(ASGD):
    """torch's foreach path computed the next rates once, from the first parameter's step."""

    def update(self) -> None:
        for group in self.param_groups:
            group["first"] = None
        super().update()

    def count(self, state: State, group: Group) -> int:
        t = count(state)
        if not group["foreach"]:
            return t
        group["first"] = group["first"] or t
        return int(group["first"])


class ShareInverted(ScheduleFree):
    """HeavyBall moved by one minus the share of the new point."""

    def share(self, weight: float, total: float) -> float:
        return 1 - super().share(weight, total)


class SlowWeightsNotSaved(Lookahead):
    """over9000's Lookahead kept its slow weights beside the state of what it wraps."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.own: dict[Tensor, State] = {}

    def kept(self, p: Tensor, state: State) -> State:
        return self.own.setdefault(p, {})


CORRECT = (
    (partial(ASGD, foreach=True), "asgd/torch"),
    (ScheduleFree, "schedulefree-sgd/authors"),
    (Lookahead, "lookahead(sgd)"),
)
REPORTED = (
    Defect(
        partial(OneStepForAll, foreach=True),
        "asgd/torch",
        "pytorch/pytorch#125440",
        "flags",
        "gradients/none",
    ),
    Defect(
        ShareInverted,
        "schedulefree-sgd/authors",
        "HomebrewML/HeavyBall#13",
        "equations",
        TRAJECTORY,
        why="a complement is no slip of one symbol",
    ),
    Defect(SlowWeightsNotSaved, "lookahead(sgd)", "mgrankin/over9000#6", "state", "state/resume"),
)
UNSEEN: tuple[Defect, ...] = ()
