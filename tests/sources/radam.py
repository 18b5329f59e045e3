"""RAdam: torch's, three packages', and the paper's box."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from meta.correct.frame import AdamFrame, Group, State, corrections, moments
from sources import Source

if TYPE_CHECKING:
    from torch import Tensor


class Box(AdamFrame):
    """Algorithm 2 of the paper, line by line; eps is added where its authors' code adds it."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        beta1, beta2 = group["betas"]
        v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        m.mul_(beta1).add_(g, alpha=1 - beta1)
        c1, c2 = corrections(t, group)
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * t * beta2**t / c2
        if length > 4:
            rate = math.sqrt(c2) / (v.sqrt() + group["eps"])
            r = (length - 4) * (length - 2) * longest
            r = math.sqrt(r / ((longest - 4) * (longest - 2) * length))
            p -= group["lr"] * r * (m / c1) * rate
        else:
            p -= group["lr"] * (m / c1)


BY_GROUP = {"gradients/none": "counts the steps of a group, not of a parameter"}
NEGATED = {"gradients/untouched": "negates p.grad itself to maximize"}
DECAYED = {"gradients/untouched": "adds the weight decay to p.grad itself"}
SHARED = dict.fromkeys(
    ("groups/own-values", "groups/added"),
    "keeps the step size of the first group for those after it",
)
HALVED = dict.fromkeys(
    ("checkpoints/bfloat16", "checkpoints/float16"), "float32 moments are loaded in the narrow type"
)
EMPTY = {"implementations/foreach": "raises where no parameter has a gradient"}
SOURCES = (
    Source("radam/torch", "torch.optim:RAdam"),
    Source("radam/decoupled", "torch.optim:RAdam", keywords={"decoupled_weight_decay": True}),
    Source(
        "radam/decoupled",
        "torch_optimizer:RAdam",
        defects={**SHARED, **HALVED, "gradients/complex": "drops imaginary parts"},
    ),
    Source(
        "radam/decoupled",
        "pytorch_optimizer:RAdam",
        keywords={"degenerated_to_sgd": True},
        defects={**BY_GROUP, **NEGATED},
    ),
    Source("radam/wait", "pytorch_optimizer:RAdam", defects={**BY_GROUP, **NEGATED}),
    Source("radam/optax", "optimi:RAdam", defects={**BY_GROUP, **DECAYED, **EMPTY}),
    Source("radam/paper", Box, paper="Liu et al. 2020, algorithm 2"),
)
