"""Lion: the releases of those who carried it to PyTorch."""

from __future__ import annotations

from sources import Source

ASCENT = {"gradients/untouched": "negates p.grad itself to ascend"}
PENALTY = {"gradients/untouched": "adds the weight decay to p.grad itself"}
EMPTY = {"implementations/foreach": "raises where no parameter has a gradient"}
SOURCES = (
    Source("lion/paper", "lion_pytorch:Lion"),
    Source("lion/paper", "optimi:Lion", defects=EMPTY),
    Source("lion/paper", "pytorch_optimizer:Lion", defects=ASCENT),
    Source(
        "lion/decay-unscaled",
        "pytorch_optimizer:Lion",
        keywords={"fixed_decay": True},
        defects=ASCENT,
    ),
    Source("lion/decay-relative", "optimi:Lion", keywords={"decouple_lr": True}, defects=EMPTY),
    Source(
        "lion/l2", "pytorch_optimizer:Lion", keywords={"weight_decouple": False}, defects=PENALTY
    ),
)
