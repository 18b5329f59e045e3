"""NAdam and RAdam."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from meta.reported.frame import TRAJECTORY, Defect, Frame, Group, State, count, zeros

if TYPE_CHECKING:
    from torch import Tensor


class Moments(Frame):
    """Correct: the averages that all of them keep."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        **more: Any,
    ) -> None:
        numbers = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**numbers, "maximize": maximize, **more})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v = zeros(state, p, "exp_avg", "exp_avg_sq")
        beta1, beta2 = group["betas"]
        m.mul_(beta1).add_(g, alpha=1 - beta1)
        v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        self.apply(p, g, count(state), state, group)

    def apply(self, p: Tensor, g: Tensor, t: int, state: State, group: Group) -> None:
        raise NotImplementedError


class NAdam(Moments):
    """Correct: torch's."""

    product = 1.0

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        *,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        more = {"momentum_decay": momentum_decay, "differentiable": differentiable}
        super().__init__(params, lr, betas, eps, weight_decay, maximize=maximize, **more)

    def apply(self, p: Tensor, g: Tensor, t: int, state: State, group: Group) -> None:
        now, later = self.coefficient(t, group), self.coefficient(t + 1, group)
        so_far = state["mu_product"] = state.get("mu_product", self.product) * now
        root = (state["exp_avg_sq"] / (1 - group["betas"][1] ** t)).sqrt() + group["eps"]
        share = self.share(state["exp_avg"], now, later, so_far)
        p.sub_(group["lr"] * (share + (1 - now) / (1 - so_far) * g) / root)

    def coefficient(self, t: int, group: Group) -> float:
        return float(group["betas"][0] * (1 - 0.5 * 0.96 ** (t * group["momentum_decay"])))

    def share(self, m: Tensor, now: float, later: float, so_far: float) -> Tensor:
        return later / (1 - so_far * later) * m


class RAdam(Moments):
    """Correct: torch's."""

    threshold = 5

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, maximize=maximize)

    def apply(self, p: Tensor, g: Tensor, t: int, state: State, group: Group) -> None:
        p.sub_(self.size(t, group) * state["exp_avg"] * self.scale(t, state, group))

    def size(self, t: int, group: Group) -> float:
        return float(group["lr"] / (1 - group["betas"][0] ** t))

    def length(self, t: int, beta2: float) -> tuple[float, float]:
        longest = 2 / (1 - beta2) - 1
        return longest, longest - 2 * t * beta2**t / (1 - beta2**t)

    def scale(self, t: int, state: State, group: Group) -> Tensor | float:
        longest, length = self.length(t, group["betas"][1])
        if length <= self.threshold:
            return 1.0
        r = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
        return math.sqrt(r) / self.denominator(state["exp_avg_sq"], t, group)

    def denominator(self, v: Tensor, t: int, group: Group) -> Tensor:
        return (v.sqrt() + group["eps"]) / math.sqrt(1 - group["betas"][1] ** t)


class ProductTwice(NAdam):
    """torch's loop multiplied the next product by mu, which the product holds already."""

    def share(self, m: Tensor, now: float, later: float, so_far: float) -> Tensor:
        return later / (1 - so_far * now * later) * m


class ProductFromZero(NAdam):
    """TorchSharp never initialised the product, so it was zero and stayed so."""

    product = 0.0


class MomentOverwritten(NAdam):
    """ND4J corrected the first moment in place, and went on averaging the corrected one."""

    def share(self, m: Tensor, now: float, later: float, so_far: float) -> Tensor:
        return m.mul_(later / (1 - so_far * later))


class PenaltyAsFactor(NAdam):
    """MXNet multiplied the gradient by one plus the penalty."""

    def penalise(self, g: Tensor, p: Tensor, group: Group) -> Tensor:
        return g * (1 + group["weight_decay"] * p)


class MomentLeftOut(NAdam):
    """torch's differentiable path scaled the gradient where the first moment had to be."""

    def apply(self, p: Tensor, g: Tensor, t: int, state: State, group: Group) -> None:
        if group["differentiable"]:
            state = state | {"exp_avg": g}
        super().apply(p, g, t, state, group)


class EpsInsideRoot(RAdam):
    """keras-radam had eps under the root."""

    def denominator(self, v: Tensor, t: int, group: Group) -> Tensor:
        return (v / (1 - group["betas"][1] ** t) + group["eps"]).sqrt()


class SizeTimesStep(RAdam):
    """Swift's first version multiplied the rate by the number of the step."""

    def size(self, t: int, group: Group) -> float:
        return t * super().size(t, group)


class SizeShared(RAdam):
    """torch_optimizer cached the step size by step alone, and the first group's served for all."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.cached: dict[int, float] = {}

    def size(self, t: int, group: Group) -> float:
        return self.cached.setdefault(t, super().size(t, group))


class LengthInSingle(RAdam):
    """AiDotNet's kernel took the length of the average in float32, where it nearly cancels."""

    def length(self, t: int, beta2: float) -> tuple[float, float]:
        one, beta = np.float32(1), np.float32(beta2)
        longest = np.float32(2) / (one - beta) - one
        power = beta ** np.float32(t)
        return float(longest), float(longest - np.float32(2 * t) * power / (one - power))


NADAM, RADAM = "nadam/torch", "radam/torch"
CORRECT = (
    (NAdam, NADAM),
    (RAdam, RADAM),
)
REPORTED = (
    Defect(
        ProductTwice,
        NADAM,
        "pytorch/pytorch#92699",
        "equations",
        TRAJECTORY,
        why="no mutant squares a factor",
    ),
    Defect(
        ProductFromZero,
        NADAM,
        "dotnet/TorchSharp#1154",
        "state",
        TRAJECTORY,
        "momentum_product: product starts at 0",
    ),
    Defect(
        MomentOverwritten,
        NADAM,
        "deeplearning4j/nd4j#1891",
        "state",
        TRAJECTORY,
        why="what is kept is another quantity from then on, which no equation has",
    ),
    Defect(
        PenaltyAsFactor,
        NADAM,
        "apache/mxnet#8925",
        "equations",
        TRAJECTORY,
        why="a sum that becomes a product of three is no slip of one symbol",
    ),
    Defect(
        partial(MomentLeftOut, differentiable=True),
        NADAM,
        "pytorch/pytorch#106615",
        "flags",
        TRAJECTORY,
        why="one quantity stands for another; mutants exchange hyperparameters alone",
    ),
    Defect(
        EpsInsideRoot,
        RADAM,
        "CyberZHG/keras-radam#29",
        "equations",
        TRAJECTORY,
        why="eps moves under the root and the correction with it: two changes",
    ),
    Defect(
        SizeTimesStep,
        RADAM,
        "tensorflow/swift-apis#564",
        "equations",
        TRAJECTORY,
        why="the factor is nowhere in the equations",
    ),
    Defect(
        SizeShared, RADAM, "jettify/pytorch-optimizer#96", "hyperparameters", "groups/own-values"
    ),
)
UNSEEN = (
    Defect(
        LengthInSingle,
        RADAM,
        "ooples/AiDotNet.Tensors#960",
        "dtypes",
        TRAJECTORY,
        why="scalars in float32 are admissible, and the bound grows with what the difference loses",
    ),
)
