"""AdaBelief: its authors' package, torch_optimizer's, and two older forms by hand."""

from __future__ import annotations

import torch
from torch import Tensor

from meta.correct.frame import AdamWFrame, Group, State, corrections
from sources import Source


class Belief(AdamWFrame):
    """eps where the first releases had it: under the root, and not kept."""

    old_mean = False

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        beta1, beta2 = group["betas"]
        if not state:
            state.update(step=0, m=torch.zeros_like(p), s=torch.zeros_like(p))
        state["step"] += 1
        p.mul_(1 - group["lr"] * group["weight_decay"])
        old = state["m"]
        state["m"] = beta1 * old + (1 - beta1) * g
        away = g - (old if self.old_mean else state["m"])
        state["s"] = beta2 * state["s"] + (1 - beta2) * away * away
        c1, c2 = corrections(state["step"], group)
        p -= group["lr"] * state["m"] / c1 / (self.root(state, group, c2) + group["eps"])

    def root(self, state: State, group: Group, c2: float) -> Tensor:
        return (state["s"] + group["eps"]).sqrt() / c2**0.5


class OldMean(Belief):
    """Deviations from the mean that was known before the step."""

    old_mean = True

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-16, weight_decay=0.0) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)

    def root(self, state: State, group: Group, c2: float) -> Tensor:
        state["s"] = state["s"] + group["eps"]
        return (state["s"] / c2).sqrt()


PACKAGE = "adabelief_pytorch:AdaBelief"
QUIET = {"print_change_log": False}
PLAIN = {**QUIET, "rectify": False}
PENALTY = {"gradients/untouched": "adds the weight decay to p.grad itself"}
ASCENT = {"gradients/untouched": "negates p.grad itself to ascend"}
PAUSES = {"gradients/none": "counts the steps of a group, not of a parameter"}
HALVED = {"checkpoints/float16": "float32 moments are loaded in the narrow type"}
SOURCES = (
    Source("adabelief/paper", PACKAGE, keywords=PLAIN, defects=HALVED),
    Source("adabelief/paper", "torch_optimizer:AdaBelief", keywords={"weight_decouple": True}),
    Source("adabelief/paper", "pytorch_optimizer:AdaBelief", defects={**ASCENT, **PAUSES}),
    Source("adabelief/rectified", PACKAGE, keywords=QUIET, defects=HALVED),
    Source(
        "adabelief/l2",
        PACKAGE,
        keywords={**PLAIN, "weight_decouple": False},
        defects={**PENALTY, **HALVED},
    ),
    Source(
        "adabelief/decay-unscaled",
        PACKAGE,
        keywords={**PLAIN, "fixed_decay": True},
        defects=HALVED,
    ),
    Source("adabelief/eps-inside", Belief, paper="Zhuang et al., the first releases"),
    Source("adabelief/old-mean", OldMean, paper="Zhuang et al., deviation from the old mean"),
)
