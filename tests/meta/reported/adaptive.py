"""RMSprop, AdaGrad, Adadelta and Adamax."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from meta.reported.frame import TRAJECTORY, Defect, Frame, Group, State, count, zeros


class RMSprop(Frame):
    """Correct: torch's, with eps outside the root."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        numbers = {"lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay}
        flags = {"momentum": momentum, "centered": centered, "maximize": maximize}
        super().__init__(params, {**numbers, **flags})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        square, mean, buffer = zeros(state, p, "square_avg", "grad_avg", "momentum_buffer")
        self.average(square, g, group)
        variance = square
        if group["centered"]:
            mean.lerp_(g, 1 - group["alpha"])
            variance = self.variance(square, mean)
        step = g / self.denominator(variance, group["eps"])
        if group["momentum"] > 0:
            step = buffer.mul_(group["momentum"]).add_(step)
        p.sub_(group["lr"] * step)

    def average(self, square: Tensor, g: Tensor, group: Group) -> None:
        square.mul_(group["alpha"]).addcmul_(g, g, value=1 - group["alpha"])

    def variance(self, square: Tensor, mean: Tensor) -> Tensor:
        return square - mean**2

    def denominator(self, variance: Tensor, eps: float) -> Tensor:
        return variance.sqrt() + eps


class Adagrad(Frame):
    """Correct: torch's."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        numbers = {"lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay, "eps": eps}
        more = {"initial_accumulator_value": initial_accumulator_value, "maximize": maximize}
        super().__init__(params, {**numbers, **more})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if "sum" not in state:
            state["sum"] = torch.full_like(p, group["initial_accumulator_value"])
        t = count(state)
        state["sum"].addcmul_(g, g)
        self.apply(p, self.rate(t, group) * g / (state["sum"].sqrt() + group["eps"]))

    def rate(self, t: int, group: Group) -> float:
        return float(group["lr"] / (1 + (t - 1) * group["lr_decay"]))

    def apply(self, p: Tensor, step: Tensor) -> None:
        p.sub_(step)


class Adadelta(Frame):
    """Correct: torch's."""

    def __init__(
        self,
        params: Any,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        numbers = {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**numbers, "maximize": maximize})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        squares, steps = zeros(state, p, "square_avg", "acc_delta")
        self.average(squares, g, group["rho"])
        step = (steps + group["eps"]).sqrt() / (squares + group["eps"]).sqrt() * g
        self.average(steps, step, group["rho"])
        p.sub_(group["lr"] * step)

    def average(self, kept: Tensor, x: Tensor, rho: float) -> None:
        kept.mul_(rho).addcmul_(x, x, value=1 - rho)


class Adamax(Frame):
    """Correct: torch's, with eps inside the maximum."""

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        numbers = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**numbers, "maximize": maximize})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, u = zeros(state, p, "exp_avg", "exp_inf")
        beta1, beta2 = group["betas"]
        t = count(state)
        m.mul_(beta1).add_(g, alpha=1 - beta1)
        u.copy_(torch.maximum(beta2 * u, self.size(g, group["eps"])))
        p.sub_(group["lr"] / (1 - beta1**t) * m / u)

    def size(self, g: Tensor, eps: float) -> Tensor:
        return g.abs() + eps


class EpsUnderRoot(RMSprop):
    """Keras had eps under the root, where its documentation and the papers have it outside."""

    def denominator(self, variance: Tensor, eps: float) -> Tensor:
        return (variance + eps).sqrt()


class SquaresSummed(RMSprop):
    """fastbook's listing forgot the factor 1 - alpha of the new square."""

    def average(self, square: Tensor, g: Tensor, group: Group) -> None:
        square.mul_(group["alpha"]).addcmul_(g, g)


class VarianceBelowZero(RMSprop):
    """FastNN adds eps to a difference that rounding makes negative, then takes the root."""

    def denominator(self, variance: Tensor, eps: float) -> Tensor:
        return (variance + eps).sqrt()


class SquareSpoiled(RMSprop):
    """A LaProp subtracted the squared mean from the stored average itself."""

    def variance(self, square: Tensor, mean: Tensor) -> Tensor:
        return square.sub_(mean**2)


class Ascent(Adagrad):
    """Paddle added the step."""

    def apply(self, p: Tensor, step: Tensor) -> None:
        p.add_(step)


class PenaltyBesideTheStep(Adagrad):
    """Paddle decayed the parameter by the rate, instead of changing the gradient first."""

    def penalise(self, g: Tensor, p: Tensor, group: Group) -> Tensor:
        p.mul_(1 - group["lr"] * group["weight_decay"])
        return g


class RateDecayIgnored(Adagrad):
    """TensorFlow for Scala computed the decayed rate and then used the plain one."""

    def rate(self, t: int, group: Group) -> float:
        return float(group["lr"])


class BracketMisplaced(Adadelta):
    """ND4J multiplied all of rho E + 1 - rho by the square."""

    def average(self, kept: Tensor, x: Tensor, rho: float) -> None:
        kept.copy_((rho * kept + 1 - rho) * x**2)


class AccumulatedOnTop(Adadelta):
    """TensorFlow's first kernel added the new average to the old one."""

    def average(self, kept: Tensor, x: Tensor, rho: float) -> None:
        kept.add_(rho * kept + (1 - rho) * x**2)


class NothingOverNothing(Adamax):
    """mlpack divided by the norm alone, which is zero until there is a gradient."""

    def size(self, g: Tensor, eps: float) -> Tensor:
        return g.abs()


RMSPROP, ADAGRAD, ADADELTA = "rmsprop/torch", "adagrad/torch", "adadelta/torch"
CORRECT = (
    (RMSprop, RMSPROP),
    (partial(RMSprop, centered=True), RMSPROP),
    (Adagrad, ADAGRAD),
    (Adadelta, ADADELTA),
    (Adamax, "adamax/torch"),
)
REPORTED = (
    Defect(
        EpsUnderRoot, RMSPROP, "keras-team/keras#435", "equations", TRAJECTORY, "epsilon=inside"
    ),
    Defect(
        SquaresSummed,
        RMSPROP,
        "fastai/fastbook#342",
        "equations",
        TRAJECTORY,
        "mean_square: 1 - alpha missing",
    ),
    Defect(
        partial(VarianceBelowZero, centered=True),
        RMSPROP,
        "CanReader/FastNN#12",
        "equations",
        TRAJECTORY,
        "epsilon=inside",
    ),
    Defect(
        partial(SquareSpoiled, centered=True),
        RMSPROP,
        "UselessToys/Ecosystem_WebUI#383",
        "state",
        TRAJECTORY,
        why="what is kept is another quantity from then on, which no equation has",
    ),
    Defect(
        Ascent, ADAGRAD, "PaddlePaddle/Paddle#4184", "equations", TRAJECTORY, "update: sign flipped"
    ),
    Defect(
        PenaltyBesideTheStep,
        ADAGRAD,
        "PaddlePaddle/Paddle#4743",
        "equations",
        TRAJECTORY,
        "l2: decoupled from the gradient, by lr times weight_decay",
    ),
    Defect(
        RateDecayIgnored,
        ADAGRAD,
        "eaplatanios/tensorflow_scala#55",
        "hyperparameters",
        TRAJECTORY,
        "rate: lr_decay ignored, 0 used instead",
    ),
    Defect(
        BracketMisplaced,
        ADADELTA,
        "deeplearning4j/nd4j#1239",
        "equations",
        TRAJECTORY,
        "mean_square_gradient: bracket around both terms, in mean_square_gradient and "
        "mean_square_step",
    ),
    Defect(
        AccumulatedOnTop,
        ADADELTA,
        "tensorflow/tensorflow#644",
        "equations",
        TRAJECTORY,
        why="both averages pile up; a mutant changes one",
    ),
    Defect(
        NothingOverNothing,
        "adamax/torch",
        "mlpack/mlpack#887",
        "gradients",
        TRAJECTORY,
        "infinity_norm: second term missing",
    ),
)
UNSEEN: tuple[Defect, ...] = ()
