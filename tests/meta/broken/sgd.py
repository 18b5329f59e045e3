"""SGD with one mistake in its equations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meta.correct.frame import Group, SGDFrame, State

if TYPE_CHECKING:
    from torch import Tensor


def buffered(g: Tensor, state: State, group: Group) -> Tensor:
    """The momentum buffer after this step, as torch keeps it."""
    if "b" not in state:
        state["b"] = g.clone()
    else:
        state["b"].mul_(group["momentum"]).add_(g, alpha=1 - group["dampening"])
    return state["b"]


class DampedFirstStep(SGDFrame):
    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        b = state.setdefault("b", g * 0)
        b.mul_(group["momentum"]).add_(g, alpha=1 - group["dampening"])
        direction = g + group["momentum"] * b if group["nesterov"] else b
        p -= group["lr"] * (direction if group["momentum"] else g)


class DampeningIgnored(SGDFrame):
    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if group["momentum"]:
            b = buffered(g, state, {**group, "dampening": 0})
            g = g + group["momentum"] * b if group["nesterov"] else b
        p -= group["lr"] * g


class NesterovTwice(SGDFrame):
    """The look-ahead is applied to what has been looked ahead already."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if group["momentum"]:
            b = buffered(g, state, group)
            if group["nesterov"]:
                ahead = g + group["momentum"] * b
                g = g + group["momentum"] * ahead
            else:
                g = b
        p -= group["lr"] * g


class NesterovIgnored(SGDFrame):
    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        p -= group["lr"] * (buffered(g, state, group) if group["momentum"] else g)


class RateInBuffer(SGDFrame):
    """The same while lr is constant."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        g = group["lr"] * g
        if group["momentum"]:
            b = buffered(g, state, group)
            g = g + group["momentum"] * b if group["nesterov"] else b
        p -= g


class BufferNotStored(SGDFrame):
    """mul and add where mul_ and add_ were meant."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if group["momentum"]:
            if "b" not in state:
                state["b"] = g.clone()
                b = g
            else:
                b = state["b"].mul(group["momentum"]).add(g, alpha=1 - group["dampening"])
            g = g + group["momentum"] * b if group["nesterov"] else b
        p -= group["lr"] * g


class AveragedBuffer(SGDFrame):
    """(1 - momentum) g enters the buffer."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        mu = group["momentum"]
        if mu:
            b = state.setdefault("b", g * 0).mul_(mu).add_(g, alpha=1 - mu)
            g = (1 - mu) * g + mu * b if group["nesterov"] else b
        p -= group["lr"] * g


class DecayOfUpdated(SGDFrame):
    """The penalty is subtracted from the parameter instead of entering the gradient."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        plain = g - group["weight_decay"] * p
        old = group["lr"] * group["weight_decay"] * p
        if group["momentum"]:
            b = buffered(plain, state, group)
            plain = plain + group["momentum"] * b if group["nesterov"] else b
        p -= group["lr"] * plain + old
