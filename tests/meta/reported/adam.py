"""Adam and AMSGrad."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from meta.reported.frame import TRAJECTORY, Defect, Frame, Group, State, count, zeros


class Adam(Frame):
    """Correct: every quantity of the paper's algorithm 1 has a method."""

    decoupled = False

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool = False,
        fused: bool = False,
    ) -> None:
        numbers = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        flags = {"amsgrad": amsgrad, "maximize": maximize, "foreach": foreach, "fused": fused}
        super().__init__(params, {**numbers, **flags})

    def penalise(self, g: Tensor, p: Tensor, group: Group) -> Tensor:
        return g if self.decoupled else super().penalise(g, p, group)

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v = zeros(state, p, "exp_avg", "exp_avg_sq")
        t = self.count(state)
        if self.decoupled:
            self.decay(p, group)
        self.average(m, v, g, group)
        largest = self.largest(v, state, group) if group["amsgrad"] else v
        self.apply(p, m, largest, t, group)

    def count(self, state: State) -> int:
        return count(state)

    def decay(self, p: Tensor, group: Group) -> None:
        p.mul_(1 - group["lr"] * group["weight_decay"])

    def average(self, m: Tensor, v: Tensor, g: Tensor, group: Group) -> None:
        beta1, beta2 = group["betas"]
        m.mul_(beta1).add_(g, alpha=1 - beta1)
        v.mul_(beta2).addcmul_(g, g, value=1 - beta2)

    def largest(self, v: Tensor, state: State, group: Group) -> Tensor:
        (kept,) = zeros(state, v, "max_exp_avg_sq")
        return kept.copy_(torch.maximum(kept, v))

    def corrections(self, t: int, group: Group) -> tuple[float, float]:
        beta1, beta2 = group["betas"]
        return 1 - beta1**t, 1 - beta2**t

    def apply(self, p: Tensor, m: Tensor, v: Tensor, t: int, group: Group) -> None:
        c1, c2 = self.corrections(t, group)
        p.sub_(group["lr"] * (m / c1) / self.denominator(v, c2, group["eps"]))

    def denominator(self, v: Tensor, c2: float, eps: float) -> Tensor:
        return (v / c2).sqrt() + eps


class CorrectionMultiplied(Adam):
    """ConvNetJS multiplied the moments by 1 - beta^t, which has to divide them."""

    def corrections(self, t: int, group: Group) -> tuple[float, float]:
        c1, c2 = super().corrections(t, group)
        return 1 / c1, 1 / c2


class CorrectionOneAhead(Adam):
    """tiny-dnn advanced the powers of the betas before their first use."""

    def corrections(self, t: int, group: Group) -> tuple[float, float]:
        return super().corrections(t + 1, group)


class CorrectionSubtractedTwice(Adam):
    """AdaBound for TensorFlow subtracted the second correction from one again."""

    def apply(self, p: Tensor, m: Tensor, v: Tensor, t: int, group: Group) -> None:
        c1, c2 = self.corrections(t, group)
        p.sub_(group["lr"] * (1 - c2) ** 0.5 / c1 * m / (v.sqrt() + group["eps"]))


class EpsTwice(Adam):
    """pytorch_optimizer added eps under the root and again to the root."""

    def denominator(self, v: Tensor, c2: float, eps: float) -> Tensor:
        return (v / c2 + eps).sqrt() + eps


class DecoupledUnasked(Adam):
    """FlagGems' fused kernel of Adam decayed the parameter, as only AdamW's has to."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if group["fused"]:
            g = g - group["weight_decay"] * p
            self.decay(p, group)
        super().move(p, g, state, group)


class CountedByEveryParameter(Adam):
    """flashlight advanced one counter inside the loop over parameters."""

    calls = 0

    def count(self, state: State) -> int:
        self.calls += 1
        state["step"] = self.calls
        return self.calls


class CountedTwice(Adam):
    """geoopt advanced the step in two places."""

    def count(self, state: State) -> int:
        count(state)
        return count(state)


class MaximumOfCorrected(Adam):
    """torch's documentation, and optax after it, took the maximum of corrected moments."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v = zeros(state, p, "exp_avg", "exp_avg_sq")
        t = self.count(state)
        self.average(m, v, g, group)
        c1, c2 = self.corrections(t, group)
        largest = self.largest(v / c2, state, group) if group["amsgrad"] else v / c2
        p.sub_(group["lr"] * (m / c1) / (largest.sqrt() + group["eps"]))


class MaximumNotKept(Adam):
    """torch's first multi-tensor Adam put the maxima into a list that it then dropped."""

    def largest(self, v: Tensor, state: State, group: Group) -> Tensor:
        if not group["foreach"]:
            return super().largest(v, state, group)
        (kept,) = zeros(state, v, "max_exp_avg_sq")
        return torch.maximum(kept, v)


class NegatedInPlaceTwice(Adam):
    """Adai, which passes over its parameters twice, negated the same gradient in both passes."""

    def update(self) -> None:
        graded = [(p, g) for g in self.param_groups for p in g["params"] if p.grad is not None]
        for _ in range(2):
            for p, group in graded:
                if group["maximize"]:
                    p.grad.neg_()
        for p, group in graded:
            plain = {**group, "maximize": False}
            self.move(p, self.gradient(p, plain), self.state[p], group)


class NegatedInPlace(Adam):
    """torch's foreach paths negated p.grad itself to maximize."""

    def gradient(self, p: Tensor, group: Group) -> Tensor:
        assert p.grad is not None
        if group["foreach"] and group["maximize"]:
            p.grad.neg_()
            return super().gradient(p, {**group, "maximize": False})
        return super().gradient(p, group)


class MissingGradientsAsZeros(Adam):
    """templar's Muon filled in zeros for missing gradients, in its Adam branch too."""

    def update(self) -> None:
        missing = [p for g in self.param_groups for p in g["params"] if p.grad is None]
        for p in missing:
            p.grad = torch.zeros_like(p)
        super().update()
        for p in missing:
            p.grad = None


class FirstDecides(Adam):
    """Ranger21 skipped everything where its very first parameter had no gradient."""

    def update(self) -> None:
        if self.param_groups[0]["params"][0].grad is not None:
            super().update()


class GradientsConsumed(Adam):
    """HeavyBall sets p.grad to None within the step."""

    def update(self) -> None:
        super().update()
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = None


class RateInHalf(Adam):
    """tinygrad kept the learning rate in the default type, which was half."""

    def apply(self, p: Tensor, m: Tensor, v: Tensor, t: int, group: Group) -> None:
        rate = torch.tensor(group["lr"], dtype=torch.float16).item()
        super().apply(p, m, v, t, {**group, "lr": rate})


class MomentsThroughParameterType(Adam):
    """flashoptim's fused kernels rounded float32 moments to the type of the parameter."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        for key in ("exp_avg", "exp_avg_sq"):
            kept = state.setdefault(key, torch.zeros_like(p))
            state[key] = kept.to(p.dtype).to(torch.promote_types(p.dtype, torch.float32))
        wide = p.to(state["exp_avg"].dtype)
        super().move(wide, g.to(wide.dtype), state, group)
        p.copy_(wide)


ADAM, AMSGRAD = "adam/paper", "amsgrad/torch"
CORRECT = (
    (Adam, ADAM),
    (partial(Adam, foreach=True), ADAM),
    (partial(Adam, amsgrad=True), AMSGRAD),
)
REPORTED = (
    Defect(
        CorrectionMultiplied,
        ADAM,
        "karpathy/convnetjs#70",
        "equations",
        TRAJECTORY,
        "first_correction: multiplied instead of divided, in first_correction and "
        "second_correction",
    ),
    Defect(
        CorrectionOneAhead,
        ADAM,
        "tiny-dnn/tiny-dnn#824",
        "equations",
        TRAJECTORY,
        "first_correction: step counter one ahead",
    ),
    Defect(
        CorrectionSubtractedTwice,
        ADAM,
        "kozistr/AdaBound-tensorflow#3",
        "equations",
        TRAJECTORY,
        why="a correction of a correction is no slip of one symbol",
    ),
    Defect(
        EpsTwice,
        ADAM,
        "kozistr/pytorch_optimizer#397",
        "equations",
        TRAJECTORY,
        "denominator: eps inside and outside the root",
    ),
    Defect(
        partial(DecoupledUnasked, fused=True),
        ADAM,
        "flagos-ai/FlagGems#4988",
        "flags",
        TRAJECTORY,
        "adamw/torch",
    ),
    Defect(
        CountedByEveryParameter,
        ADAM,
        "flashlight/flashlight#143",
        "state",
        TRAJECTORY,
        why="the count depends on the order of the parameters, which no equation knows",
    ),
    Defect(
        CountedTwice,
        ADAM,
        "geoopt/geoopt#164",
        "state",
        TRAJECTORY,
        "first_correction: step counter advanced twice",
    ),
    Defect(
        partial(MaximumOfCorrected, amsgrad=True),
        AMSGRAD,
        "pytorch/pytorch#142323",
        "equations",
        TRAJECTORY,
        "amsgrad/corrected",
    ),
    Defect(
        partial(MaximumNotKept, foreach=True),
        ADAM,
        "pytorch/pytorch#78807",
        "flags",
        "options/amsgrad-raw",
        "amsgrad=no",
    ),
    Defect(
        NegatedInPlaceTwice,
        ADAM,
        "kozistr/pytorch_optimizer#528",
        "flags",
        "options/maximize",
        "maximize=False",
    ),
    Defect(
        partial(NegatedInPlace, foreach=True),
        ADAM,
        "pytorch/pytorch#92706",
        "flags",
        "gradients/untouched",
    ),
    Defect(
        MissingGradientsAsZeros, ADAM, "one-covenant/templar#493", "gradients", "gradients/none"
    ),
    Defect(FirstDecides, ADAM, "kozistr/pytorch_optimizer#125", "gradients", "gradients/none"),
    Defect(GradientsConsumed, ADAM, "HomebrewML/HeavyBall#93", "gradients", "gradients/untouched"),
    Defect(
        RateInHalf,
        ADAM,
        "tinygrad/tinygrad#4297",
        "dtypes",
        "numerics/defaults",
        "update: lr rounded to half precision",
    ),
)
UNSEEN = (
    Defect(
        MomentsThroughParameterType,
        ADAM,
        "databricks/flashoptim#2",
        "dtypes",
        "precision/bfloat16",
        why="moments in the type of the parameter are admissible, and these are worth no more",
    ),
)
