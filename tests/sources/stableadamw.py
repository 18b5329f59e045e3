"""StableAdamW: optimi's and pytorch_optimizer's."""

from __future__ import annotations

from sources import Source

PAUSES = {"gradients/none": "counts the steps of a group, not of a parameter"}
FOREACH = {"implementations/foreach": "writes its denominator to p.grad"}
SHARED = {**PAUSES, "gradients/untouched": "writes to p.grad"}
SOURCES = (
    Source("stableadamw/paper", "optimi:StableAdamW", defects={**PAUSES, **FOREACH}),
    Source("stableadamw/paper", "pytorch_optimizer:StableAdamW", defects=SHARED),
    Source(
        "stableadamw/l2",
        "pytorch_optimizer:StableAdamW",
        keywords={"weight_decouple": False},
        defects=SHARED,
    ),
)
