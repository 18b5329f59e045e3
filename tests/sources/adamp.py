"""AdamP: its authors' package, pytorch_optimizer, and torch_optimizer."""

from __future__ import annotations

from sources import Source

PAUSES = {"gradients/none": "counts the steps of a group, not of a parameter"}
SHARED = {**PAUSES, "gradients/untouched": "writes to p.grad"}
SOURCES = (
    Source("adamp/paper", "adamp:AdamP"),
    Source("adamp/correction-step", "pytorch_optimizer:AdamP", defects=SHARED),
    Source(
        "adamp/unscaled",
        "pytorch_optimizer:AdamP",
        keywords={"fixed_decay": True},
        defects=SHARED,
    ),
    Source("adamp/cosine-added", "torch_optimizer:AdamP"),
)
