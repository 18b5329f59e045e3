"""SGD in unusual styles: momentum, dampening and Nesterov's look-ahead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from meta.correct.frame import Group, SGDFrame, State, gradient


class DeltaBuffer(SGDFrame):
    """The buffer moves by a difference."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        mu = group["momentum"]
        if mu == 0:
            p -= group["lr"] * g
            return
        if "buffer" in state:
            state["buffer"] += (1 - group["dampening"]) * g - (1 - mu) * state["buffer"]
        else:
            state["buffer"] = g.clone()
        b = state["buffer"]
        p -= group["lr"] * (g + mu * b if group["nesterov"] else b)


class Velocity(SGDFrame):
    """A velocity that friction slows, and that is added: the negative of the buffer."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        mu, lr = group["momentum"], group["lr"]
        if mu == 0:
            p.add_(g, alpha=-lr)
            return
        old = state.get("velocity")
        v = -g if old is None else old - ((1 - mu) * old + (1 - group["dampening"]) * g)
        state["velocity"] = v
        p += lr * (mu * v) - lr * g if group["nesterov"] else v * lr


class TwoUpdates(SGDFrame):
    """The gradient's part and the momentum's part of the step, one after the other."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        lr, mu = group["lr"], group["momentum"]
        if mu == 0:
            p -= lr * g
            return
        old = state.get("b")
        share = 1.0 if old is None else 1 - group["dampening"]
        p -= lr * (1 + mu if group["nesterov"] else share) * g
        if old is None:
            state["b"] = g.clone()
            return
        p -= (lr * mu * mu if group["nesterov"] else lr * mu) * old
        old.mul_(mu).add_(g, alpha=1 - group["dampening"])


class NesterovByDifference(SGDFrame):
    """Nesterov's direction from two buffers, without the gradient: g = b - mu b_old."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        lr, mu = group["lr"], group["momentum"]
        if mu == 0:
            p -= lr * g
            return
        old = state.get("b", torch.zeros_like(p))
        first = "b" not in state
        state["b"] = mu * old + (1.0 if first else 1 - group["dampening"]) * g
        if group["nesterov"]:
            p -= lr * ((1 + mu) * state["b"] - mu * old)
        else:
            p -= lr * state["b"]


class AverageByLerp:
    """sgd/ema: the buffer is an average, by interpolation, in a dict of its own."""

    def __init__(self, params: Any, lr: float = 1e-3, momentum: float = 0.9) -> None:
        self.params = list(params)
        self.lr, self.momentum = lr, momentum
        self.averages: dict[int, Tensor] = {}

    @torch.no_grad()
    def step(self) -> None:
        for k, p in enumerate(self.params):
            if p.grad is None:
                continue
            average = self.averages.setdefault(k, torch.zeros_like(p))
            average.lerp_(p.grad, 1 - self.momentum)
            p.sub_(self.lr * average)


class RateInside(SGDFrame):
    """sgd/classical: the displacement of the last step is what is kept."""

    def __init__(
        self, params: Any, lr: float = 1e-3, momentum: float = 0.9, weight_decay: float = 0.0
    ) -> None:
        super().__init__(params, lr, momentum, weight_decay=weight_decay)

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        step = g * -group["lr"]
        if "last" in state:
            step += state["last"] * group["momentum"]
        state["last"] = step
        p += step


class LookAhead(SGDFrame):
    """nesterov/paper: moves to the point ahead, asks the closure there, and goes back."""

    def __init__(
        self, params: Any, lr: float = 1e-3, momentum: float = 0.9, weight_decay: float = 0.0
    ) -> None:
        super().__init__(params, lr, momentum, weight_decay=weight_decay)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        if closure is None:
            raise TypeError("step() needs a closure: the gradient is taken ahead of the parameters")
        everyone = [(p, group) for group in self.param_groups for p in group["params"]]
        starts = [p.detach().clone() for p, _ in everyone]
        with torch.no_grad():
            for p, group in everyone:
                if "displacement" in self.state[p]:
                    p += group["momentum"] * self.state[p]["displacement"]
        with torch.enable_grad():
            loss = closure()
        with torch.no_grad():
            for (p, group), start in zip(everyone, starts, strict=True):
                if p.grad is not None:
                    self.move(p, gradient(p, group), self.state[p], {**group, "start": start})
        return loss

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        # p is already ahead by momentum times the last displacement.
        p.sub_(g, alpha=group["lr"])
        state["displacement"] = p - group["start"]
