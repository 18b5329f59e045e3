"""Stochastic gradient descent: torch's, classical momentum, averages, SGDW."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from meta.reported.frame import TRAJECTORY, Defect, Frame, Group, State, zeros

if TYPE_CHECKING:
    from torch import Tensor


class SGD(Frame):
    """Correct: momentum as torch has it."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool = False,
    ) -> None:
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("nesterov needs momentum and no dampening")
        numbers = {"lr": lr, "momentum": momentum, "dampening": dampening}
        flags = {"nesterov": nesterov, "maximize": maximize, "foreach": foreach}
        super().__init__(params, {**numbers, "weight_decay": weight_decay, **flags})

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if group["momentum"] == 0:
            p.sub_(group["lr"] * g)
            return
        self.follow(p, g, self.buffer(g, state, group), group)

    def buffer(self, g: Tensor, state: State, group: Group) -> Tensor:
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = self.first(g, group)
        else:
            buffer = state["momentum_buffer"]
            buffer.mul_(group["momentum"]).add_(g, alpha=1 - group["dampening"])
        return state["momentum_buffer"]

    def first(self, g: Tensor, group: Group) -> Tensor:
        return g.clone()

    def follow(self, p: Tensor, g: Tensor, buffer: Tensor, group: Group) -> None:
        p.sub_(group["lr"] * (g + group["momentum"] * buffer if group["nesterov"] else buffer))


class Classical(SGD):
    """Correct: the velocity of Polyak, which holds the rate."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, momentum, 0.0, weight_decay, maximize=maximize)

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if "velocity" not in state:
            state["velocity"] = self.first(g, group)
        else:
            state["velocity"].mul_(group["momentum"]).sub_(group["lr"] * g)
        p.add_(state["velocity"])

    def first(self, g: Tensor, group: Group) -> Tensor:
        return -group["lr"] * g


class Average(Classical):
    """Correct: a step along the average of gradients."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        (average,) = zeros(state, p, "momentum_buffer")
        average.mul_(group["momentum"]).add_(g, alpha=1 - group["momentum"])
        p.sub_(group["lr"] * average)


class SGDW(SGD):
    """Correct: torch's momentum, and a parameter that decays by itself."""

    def penalise(self, g: Tensor, p: Tensor, group: Group) -> Tensor:
        return g

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        p.mul_(1 - group["lr"] * group["weight_decay"])
        super().move(p, g, state, group)


class PenaltyInGradient(SGD):
    """torch added the penalty to p.grad itself, as MLX did to the caller's arrays."""

    def gradient(self, p: Tensor, group: Group) -> Tensor:
        assert p.grad is not None
        if group["weight_decay"] != 0:
            sign = -1 if group["maximize"] else 1
            p.grad.add_(p, alpha=sign * group["weight_decay"])
        return super().gradient(p, {**group, "weight_decay": 0.0})


class PenaltySubtracted(SGD):
    """Chainer subtracted the penalty from the gradient, so that weights grew."""

    def penalise(self, g: Tensor, p: Tensor, group: Group) -> Tensor:
        return g - group["weight_decay"] * p


class FirstStepDampened(SGD):
    """MLX started its buffer at zero, so that dampening held for the first gradient too."""

    def first(self, g: Tensor, group: Group) -> Tensor:
        return (1 - group["dampening"]) * g


class PenaltyWithMomentumOnly(SGD):
    """MLX returned early without momentum, and lost the weight decay there."""

    def penalise(self, g: Tensor, p: Tensor, group: Group) -> Tensor:
        return super().penalise(g, p, group) if group["momentum"] > 0 else g


class LookAheadAdded(SGD):
    """Paddle added the look-ahead's part that it had to subtract."""

    def follow(self, p: Tensor, g: Tensor, buffer: Tensor, group: Group) -> None:
        if group["nesterov"]:
            p.sub_(group["lr"] * g).add_(group["lr"] * group["momentum"] * buffer)
        else:
            super().follow(p, g, buffer, group)


class CoefficientOfGradient(SGD):
    """AiDotNet multiplied the gradient by the momentum, and let the velocity grow for ever."""

    def buffer(self, g: Tensor, state: State, group: Group) -> Tensor:
        if "momentum_buffer" not in state:
            return super().buffer(g, state, group)
        return state["momentum_buffer"].add_((1 - group["dampening"]) * group["momentum"] * g)


class DecayAsMomentum(SGD):
    """SEAM's PolyOptimizer passed the weight decay where SGD takes the momentum."""

    def __init__(
        self, params: Any, lr: float = 1e-3, weight_decay: float = 0.0, momentum: float = 0.9
    ) -> None:
        super().__init__(params, lr, weight_decay)


class GroupsWithoutDefaults(SGD):
    """LibTorch filled in missing options of a group with the class's values, not the caller's."""

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        if param_group.keys() - {"params"}:
            param_group = {"lr": 1e-3, "momentum": 0.0, "weight_decay": 0.0, **param_group}
        super().add_param_group(param_group)


class LossDropped(SGD):
    """accelerate's wrapper discarded what the wrapped step had returned."""

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        super().step(closure)


class MissingGradientFatal(SGD):
    """QPyTorch quantised every gradient, and stumbled over parameters that had none."""

    def update(self) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                p.grad.copy_(p.grad)
        super().update()


class FirstVelocityWithoutRate(Classical):
    """MatrixSlow started the velocity at the gradient itself."""

    def first(self, g: Tensor, group: Group) -> Tensor:
        return -g


class StaleAverage(Average):
    """The dropout demo stepped along the average that it was only about to update."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        (average,) = zeros(state, p, "momentum_buffer")
        old = average.clone()
        super().move(p.clone(), g, state, group)
        p.sub_(group["lr"] * old)


class DampeningAsMomentum(SGDW):
    """pytorch_optimizer's foreach path averaged with the dampening for a momentum."""

    def buffer(self, g: Tensor, state: State, group: Group) -> Tensor:
        if not group["foreach"] or "momentum_buffer" not in state:
            return super().buffer(g, state, group)
        return state["momentum_buffer"].lerp_(g, 1 - group["dampening"])


class DecayOfAllAlike(SGDW):
    """torch_optimizer subtracted lr times the decay from every lane, whatever its value."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        SGD.move(self, p, g, state, group)
        p.sub_(group["lr"] * group["weight_decay"])


SGD_, CLASSICAL, EMA = "sgd/torch", "sgd/classical", "sgd/ema"
CORRECT = (
    (SGD, SGD_),
    (Classical, CLASSICAL),
    (Average, EMA),
    (partial(SGDW, foreach=True), "sgdw/decoupled"),
)
REPORTED = (
    Defect(PenaltyInGradient, SGD_, "pytorch/pytorch#12218", "gradients", "gradients/untouched"),
    Defect(
        PenaltySubtracted, SGD_, "chainer/chainer#261", "equations", TRAJECTORY, "l2: sign flipped"
    ),
    Defect(
        FirstStepDampened,
        SGD_,
        "ml-explore/mlx#473",
        "state",
        TRAJECTORY,
        "first_buffer: b starts at 0",
    ),
    Defect(
        PenaltyWithMomentumOnly,
        SGD_,
        "ml-explore/mlx#440",
        "hyperparameters",
        "numerics/zero-momentum",
        "l2: weight_decay ignored, 0 used instead",
    ),
    Defect(
        LookAheadAdded,
        SGD_,
        "PaddlePaddle/Paddle#12231",
        "equations",
        "options/nesterov",
        "direction: sign flipped",
    ),
    Defect(
        CoefficientOfGradient,
        SGD_,
        "ooples/AiDotNet#2008",
        "equations",
        TRAJECTORY,
        why="two coefficients are exchanged with one",
    ),
    Defect(
        DecayAsMomentum,
        SGD_,
        "YudeWang/SEAM#21",
        "hyperparameters",
        TRAJECTORY,
        why="two hyperparameters are wrong at once: one is lost, one is another",
    ),
    Defect(
        GroupsWithoutDefaults,
        SGD_,
        "pytorch/pytorch#141884",
        "hyperparameters",
        "groups/own-values",
    ),
    Defect(LossDropped, SGD_, "huggingface/accelerate#4274", "closures", "closure/loss"),
    Defect(
        MissingGradientFatal,
        SGD_,
        "Tiiiger/QPyTorch#40",
        "gradients",
        "gradients/none",
        status="errored",
    ),
    Defect(
        FirstVelocityWithoutRate,
        CLASSICAL,
        "zc911/MatrixSlow#17",
        "equations",
        TRAJECTORY,
        "first=gradient",
    ),
    Defect(
        StaleAverage,
        EMA,
        "mdenil/dropout#4",
        "equations",
        TRAJECTORY,
        why="what is stale is one reading of a quantity, not the quantity",
    ),
    Defect(
        partial(DampeningAsMomentum, foreach=True),
        "sgdw/decoupled",
        "kozistr/pytorch_optimizer#519",
        "flags",
        TRAJECTORY,
        why="momentum and the dampening trade places in two factors at once",
    ),
    Defect(
        DecayOfAllAlike,
        "sgdw/decoupled",
        "jettify/pytorch-optimizer#454",
        "equations",
        TRAJECTORY,
        "decay: factor missing",
    ),
)
UNSEEN: tuple[Defect, ...] = ()
