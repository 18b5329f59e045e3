"""Adam, AMSGrad and AdamW: torch's, optimi's, and the listings that the dialects were named for."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from meta.correct.frame import AdamFrame, AdamWFrame, Group, State, corrections, moments
from sources import Source


def advance(m: Tensor, v: Tensor, g: Tensor, group: Group) -> None:
    beta1, beta2 = group["betas"]
    m.mul_(beta1).add_(g, alpha=1 - beta1)
    v.mul_(beta2).addcmul_(g, g, value=1 - beta2)


class Folded(AdamFrame):
    """The remark at the end of section 2, as TensorFlow runs it."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        advance(m, v, g, group)
        c1, c2 = corrections(t, group)
        p.addcdiv_(m, v.sqrt().add_(group["eps"]), value=-group["lr"] * c2**0.5 / c1)


class EpsInside(AdamFrame):
    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        advance(m, v, g, group)
        c1, c2 = corrections(t, group)
        p.addcdiv_(m, (v / c2 + group["eps"]).sqrt(), value=-group["lr"] / c1)


class Uncorrected(AdamFrame):
    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, _ = moments(p, state)
        advance(m, v, g, group)
        p.addcdiv_(m, v.sqrt() + group["eps"], value=-group["lr"])


class LargestCorrected(AdamFrame):
    """AMSGrad with the maximum over the corrected second moment."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        largest = state.setdefault("largest", torch.zeros_like(p))
        advance(m, v, g, group)
        c1, c2 = corrections(t, group)
        torch.maximum(largest, v / c2, out=largest)
        p.addcdiv_(m, largest.sqrt() + group["eps"], value=-group["lr"] / c1)


class DecayAfter(AdamWFrame):
    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        advance(m, v, g, group)
        c1, c2 = corrections(t, group)
        p.addcdiv_(m / c1, (v / c2).sqrt() + group["eps"], value=-group["lr"])
        p.mul_(1 - group["lr"] * group["weight_decay"])


class DecayUnscaled(AdamWFrame):
    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        advance(m, v, g, group)
        c1, c2 = corrections(t, group)
        p.mul_(1 - group["weight_decay"])
        p.addcdiv_(m / c1, (v / c2).sqrt() + group["eps"], value=-group["lr"])


class FoldedDecoupled(AdamWFrame):
    """As Keras' base class does it: all weights decay, then the algorithm makes its step."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        p.sub_(p * group["weight_decay"] * group["lr"])
        m, v, t = moments(p, state)
        advance(m, v, g, group)
        c1, c2 = corrections(t, group)
        p.sub_(m * (group["lr"] * c2**0.5 / c1) / (v.sqrt() + group["eps"]))


class HuggingFace(AdamWFrame):
    """The listing with `correct_bias=True`."""

    correct_bias = True

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        advance(m, v, g, group)
        size = group["lr"]
        if self.correct_bias:
            c1, c2 = corrections(t, group)
            size = size * c2**0.5 / c1
        p.addcdiv_(m, v.sqrt().add_(group["eps"]), value=-size)
        if group["weight_decay"] > 0:
            p.add_(p, alpha=-group["lr"] * group["weight_decay"])


class Bert(HuggingFace):
    correct_bias = False


class Clamped(AdamFrame):
    """eps as a lower limit of the denominator."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        advance(m, v, g, group)
        c1, c2 = corrections(t, group)
        p.addcdiv_(m, (v / c2).sqrt().clamp(min=group["eps"]), value=-group["lr"] / c1)


class FoldedInside(AdamFrame):
    """eps under the root, before the correction that the step size takes over."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        advance(m, v, g, group)
        c1, c2 = corrections(t, group)
        p.sub_(group["lr"] * c2**0.5 / c1 * m * (v + group["eps"]).rsqrt())


class DecayCorrected(AdamWFrame):
    """The decay of AdamC; the largest learning rate is given."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        max_lr: float = 1e-3,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)
        self.defaults["max_lr"] = max_lr
        for group in self.param_groups:
            group.setdefault("max_lr", max_lr)

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        advance(m, v, g, group)
        c1, c2 = corrections(t, group)
        p.mul_(1 - self.share(group["lr"], group["max_lr"]) * group["weight_decay"])
        p.addcdiv_(m / c1, (v / c2).sqrt() + group["eps"], value=-group["lr"])

    def share(self, lr: float, max_lr: float) -> float:
        return lr * (lr / max_lr)


class DecayRelative(DecayCorrected):
    def share(self, lr: float, max_lr: float) -> float:
        return lr / max_lr


PAUSES = {"gradients/none": "counts the steps of a group, not of a parameter"}
FUSED = {"implementations/fused": "takes every parameter for contiguous"}
FOREACH = {"implementations/foreach": "writes its denominator to p.grad"}
SOURCES = (
    Source("adam/paper", "torch.optim:Adam", defects=FUSED),
    Source(
        "adam/paper",
        "optimi:Adam",
        defects={
            **PAUSES,
            "gradients/untouched": "adds the weight decay to p.grad itself",
            "implementations/foreach": "raises where no parameter has a gradient",
        },
    ),
    Source("adam/eps-hat", Folded, paper="Kingma and Ba, end of section 2"),
    Source("adam/eps-inside", EpsInside, paper="eps under the root"),
    Source("adam/eps-hat-inside", FoldedInside, paper="eps under the root, corrections folded"),
    Source("adam/eps-clamp", Clamped, paper="max(sqrt(v_hat), eps)"),
    Source("adam/no-bias-correction", Uncorrected, paper="Kingma and Ba without section 3"),
    Source("amsgrad/torch", "torch.optim:Adam", keywords={"amsgrad": True}, defects=FUSED),
    Source("amsgrad/corrected", LargestCorrected, paper="Reddi et al., with corrected moments"),
    Source("adamw/torch", "torch.optim:AdamW", defects=FUSED),
    Source("adamw/torch", "optimi:AdamW", defects={**PAUSES, **FOREACH}),
    Source("adamw/decay-after", DecayAfter, paper="Loshchilov and Hutter, decay last"),
    Source("adamw/decay-unscaled", DecayUnscaled, paper="Loshchilov and Hutter, algorithm 2"),
    Source("adamw/decay-relative", DecayRelative, paper="Loshchilov and Hutter, with a schedule"),
    Source(
        "adamw/decay-relative",
        "optimi:AdamW",
        keywords={"decouple_lr": True},
        defects={**PAUSES, **FOREACH},
    ),
    Source("adamc/paper", DecayCorrected, paper="Defazio, algorithm 1"),
    Source("adamw/keras", FoldedDecoupled, paper="keras' AdamW"),
    Source("adamw/hugging-face", HuggingFace, paper="transformers' AdamW"),
    Source("adamw/bert", Bert, paper="transformers' AdamW, correct_bias=False"),
)
