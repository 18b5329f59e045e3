"""Heun's method with its calls of the closure wrong, one way each."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class PlainHeun(torch.optim.Optimizer):
    """Correct: what the subjects below have in common."""

    def __init__(self, params: Any, lr: float = 1e-2, maximize: bool = False) -> None:
        if lr < 0:
            raise ValueError(f"lr is {lr}")
        super().__init__(params, {"lr": lr, "maximize": maximize})

    @torch.no_grad()
    def step(self, closure: Any) -> Any:
        loss, first = self.evaluate(closure)
        self.predict(first)
        last, second = self.evaluate(closure)
        self.correct(first, second)
        return self.result(loss, last)

    def evaluate(self, closure: Any) -> tuple[Any, list[Tensor]]:
        """The loss, and the gradients, which the next call may write over."""
        with torch.enable_grad():
            loss = closure()
        return loss, [p.grad.clone() for p in self.parameters()]

    def predict(self, first: list[Tensor]) -> None:
        for p, h, g in zip(self.parameters(), self.rates(), first, strict=True):
            p.sub_(h * g)

    def correct(self, first: list[Tensor], second: list[Tensor]) -> None:
        for p, h, f, g in zip(self.parameters(), self.rates(), first, second, strict=True):
            p.sub_(h / 2 * (g - f))

    def result(self, loss: Any, last: Any) -> Any:
        return loss

    def parameters(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group["params"]]

    def rates(self) -> list[float]:
        """The step size of every parameter, negative uphill."""
        signed = [(-g["lr"] if g["maximize"] else g["lr"], g["params"]) for g in self.param_groups]
        return [h for h, params in signed for _ in params]


class Primed(PlainHeun):
    """Correct, but the first gradient is in p.grad: closure(), then step(closure)."""

    @torch.no_grad()
    def step(self, closure: Any) -> Any:
        first = [p.grad.clone() for p in self.parameters()]
        self.predict(first)
        loss, second = self.evaluate(closure)
        self.correct(first, second)
        return loss


class SecondGradientAtStart(PlainHeun):
    """The parameters are moved after both calls: the second gradient is the first."""

    def predict(self, first: list[Tensor]) -> None:
        pass

    def correct(self, first: list[Tensor], second: list[Tensor]) -> None:
        super().predict(first)
        super().correct(first, second)


class SecondGradientHalfway(PlainHeun):
    """The second gradient is taken at the midpoint, as in another method of second order."""

    def predict(self, first: list[Tensor]) -> None:
        for p, h, g in zip(self.parameters(), self.rates(), first, strict=True):
            p.sub_(h / 2 * g)

    def correct(self, first: list[Tensor], second: list[Tensor]) -> None:
        for p, h, g in zip(self.parameters(), self.rates(), second, strict=True):
            p.sub_(h / 2 * g)


class GradientsOff(PlainHeun):
    """The second call inherits the step's own no_grad(): a loss that backpropagates raises."""

    def evaluate(self, closure: Any) -> tuple[Any, list[Tensor]]:
        loss = closure()
        return loss, [p.grad.clone() for p in self.parameters()]


class ThreeCalls(PlainHeun):
    """One call for the loss, two for the gradients."""

    def step(self, closure: Any) -> Any:
        with torch.enable_grad():
            loss = closure()
        super().step(closure)
        return loss


class LastLoss(PlainHeun):
    """Returns the loss at the predicted point."""

    def result(self, loss: Any, last: Any) -> Any:
        return last


class FirstGradientNotCopied(PlainHeun):
    """Right while every call brings new gradients; zero_grad(set_to_none=False) does not."""

    def evaluate(self, closure: Any) -> tuple[Any, list[Tensor]]:
        with torch.enable_grad():
            loss = closure()
        return loss, [p.grad for p in self.parameters()]


class CountsOnAccumulation(PlainHeun):
    """Takes what p.grad holds after the second call for the sum of both gradients."""

    def correct(self, first: list[Tensor], second: list[Tensor]) -> None:
        for p, h, f, g in zip(self.parameters(), self.rates(), first, second, strict=True):
            p.sub_(h / 2 * (g - 2 * f))


class StepsWithout(PlainHeun):
    """Without a closure it makes a step of plain gradient descent, in silence."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        if closure is not None:
            return super().step(closure)
        return self.predict([p.grad for p in self.parameters()])
