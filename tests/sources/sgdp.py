"""SGDP: its authors' package, pytorch_optimizer, and torch_optimizer."""

from __future__ import annotations

from sources import Source

ASCENT = {"gradients/untouched": "writes to p.grad"}
SOURCES = (
    Source("sgdp/paper", "pytorch_optimizer:SGDP", defects=ASCENT),
    Source(
        "sgdp/unscaled", "pytorch_optimizer:SGDP", keywords={"fixed_decay": True}, defects=ASCENT
    ),
    Source("sgdp/release", "adamp:SGDP"),
    Source("sgdp/cosine-added", "torch_optimizer:SGDP"),
)
