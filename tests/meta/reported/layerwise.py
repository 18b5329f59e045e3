"""LAMB and LARS, whose steps are as long as the layers' norms say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meta.reported.frame import TRAJECTORY, Defect, Frame, Group, State, count, zeros

if TYPE_CHECKING:
    from torch import Tensor


class Layerwise(Frame):
    """Correct: the decay is the algorithm's own."""

    def penalise(self, g: Tensor, p: Tensor, group: Group) -> Tensor:
        return g

    def norm(self, x: Tensor) -> Tensor:
        return x.norm()


class LAMB(Layerwise):
    """Correct: algorithm 2 of the paper."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        numbers = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**numbers, "maximize": maximize})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v = zeros(state, p, "exp_avg", "exp_avg_sq")
        beta1, beta2 = group["betas"]
        m.mul_(beta1).add_(g, alpha=1 - beta1)
        v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        c1, c2 = self.corrections(self.count(state), group)
        step = m / c1 / ((v / c2).sqrt() + group["eps"]) + group["weight_decay"] * p
        weight, length = self.weight(p), self.norm(step)
        ratio = weight / length if weight > 0 and length > 0 else 1.0
        p.sub_(group["lr"] * ratio * step)

    def count(self, state: State) -> int:
        return count(state)

    def corrections(self, t: int, group: Group) -> tuple[float, float]:
        beta1, beta2 = group["betas"]
        return 1 - beta1**t, 1 - beta2**t

    def weight(self, p: Tensor) -> Tensor:
        return self.norm(p)


class LARS(Layerwise):
    """Correct: algorithm 1 of the paper."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        trust_coefficient: float = 1e-3,
        *,
        maximize: bool = False,
    ) -> None:
        numbers = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        more = {"trust_coefficient": trust_coefficient, "maximize": maximize}
        super().__init__(params, {**numbers, **more})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        (buffer,) = zeros(state, p, "momentum_buffer")
        rate = group["lr"] * self.ratio(self.norm(p), self.norm(g), group)
        self.follow(p, buffer, g + group["weight_decay"] * p, rate, group)

    def ratio(self, weight: Tensor, slope: Tensor, group: Group) -> Tensor | float:
        if not (weight > 0 and slope > 0):
            return 1.0
        return group["trust_coefficient"] * weight / self.total(weight, slope, group)

    def total(self, weight: Tensor, slope: Tensor, group: Group) -> Tensor:
        return slope + group["weight_decay"] * weight

    def follow(self, p: Tensor, b: Tensor, g: Tensor, rate: Any, group: Group) -> None:
        p.sub_(b.mul_(group["momentum"]).add_(rate * g))


class UncorrectedLAMB(LAMB):
    """torch_optimizer left out both corrections."""

    def corrections(self, t: int, group: Group) -> tuple[float, float]:
        return 1.0, 1.0


class WeightClamped(LAMB):
    """mlx-optimizers clamped the norm of the weights."""

    def weight(self, p: Tensor) -> Tensor:
        return super().weight(p).clamp(0, 10)


class CountedByEveryVariable(LAMB):
    """NVIDIA's BERT example advanced the global step once for every variable."""

    calls = 0

    def count(self, state: State) -> int:
        self.calls += 1
        state["step"] = self.calls
        return self.calls


class NormInHalf(LAMB):
    """fairscale squared in float16 on the way to a norm, which overflows beyond 256."""

    def norm(self, x: Tensor) -> Tensor:
        return (x.half() ** 2).sum().sqrt().to(x.dtype)


class RatioLostWithoutDecay(LARS):
    """Paddle's kernel took the plain rate where the decay was zero."""

    def ratio(self, weight: Tensor, slope: Tensor, group: Group) -> Tensor | float:
        return super().ratio(weight, slope, group) if group["weight_decay"] > 0 else 1.0


class RateOutsideBuffer(LARS):
    """AiDotNet scaled the whole velocity by the ratio of the day, and decayed nothing."""

    def follow(self, p: Tensor, b: Tensor, g: Tensor, rate: Any, group: Group) -> None:
        p.sub_(rate * b.mul_(group["momentum"]).add_(g))


class ZerosNeverMove(LARS):
    """A SimCLR wrote >= for >, and layers that start at zero have a ratio of zero."""

    def ratio(self, weight: Tensor, slope: Tensor, group: Group) -> Tensor | float:
        if not slope > 0:
            return 1.0
        return group["trust_coefficient"] * weight / self.total(weight, slope, group)


class DecayNotInRatio(LARS):
    """PixPro divided by the gradient's norm alone."""

    def total(self, weight: Tensor, slope: Tensor, group: Group) -> Tensor:
        return slope


CORRECT = ((LAMB, "lamb/paper"), (LARS, "lars/paper"))
REPORTED = (
    Defect(
        UncorrectedLAMB,
        "lamb/paper",
        "jettify/pytorch-optimizer#443",
        "equations",
        TRAJECTORY,
        "correction=none",
    ),
    Defect(
        WeightClamped,
        "lamb/paper",
        "stockeh/mlx-optimizers#36",
        "equations",
        TRAJECTORY,
        "scaling=clamped",
    ),
    Defect(
        CountedByEveryVariable,
        "lamb/paper",
        "NVIDIA/DeepLearningExamples#391",
        "state",
        TRAJECTORY,
        why="the count depends on the order of the parameters, which no equation knows",
    ),
    Defect(
        NormInHalf,
        "lamb/paper",
        "facebookresearch/fairscale#263",
        "dtypes",
        TRAJECTORY,
        why="a type that is too narrow is in no equation",
    ),
    Defect(
        RatioLostWithoutDecay,
        "lars/paper",
        "PaddlePaddle/Paddle#40892",
        "hyperparameters",
        "numerics/zero-weight-decay",
        "skip=without-decay",
    ),
    Defect(
        RateOutsideBuffer,
        "lars/paper",
        "ooples/AiDotNet.Tensors#955",
        "equations",
        TRAJECTORY,
        why="the rate leaves the buffer for the update: two changes",
    ),
    Defect(
        ZerosNeverMove,
        "lars/paper",
        "Spijkervet/SimCLR#27",
        "equations",
        TRAJECTORY,
        "trust_ratio: threshold one lower",
    ),
    Defect(
        DecayNotInRatio,
        "lars/paper",
        "zdaxie/PixPro#13",
        "equations",
        TRAJECTORY,
        "trust_ratio: second term missing",
    ),
)
UNSEEN: tuple[Defect, ...] = ()
