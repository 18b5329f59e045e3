"""Adafactor: torch's, torch_optimizer's (fairseq's listing) and pytorch_optimizer's."""

from __future__ import annotations

from typing import Any

import torch

from sources import Source

PARAMETERS = {"eps": "eps2"}
BIG_VISION: dict[str, Any] = {
    "keywords": {"momentum_dtype": torch.float64},
    "hyperparameters": {"lr": 1e-2},
    "fixed": ("lr",),
    "rename": {"beta1": "betas[0]", "cap": "betas[1]", "eps1": "eps1", "eps2": "eps2"},
    "defects": {
        "gradients/none": "counts the steps of a group, not of a parameter",
        "gradients/untouched": "writes to p.grad",
        "groups/own-values": "keeps eps1 and eps2 in every group, and reads the constructor's",
        "hyperparameters/eps1-changed": "keeps eps1 in every group, and reads the constructor's",
        "hyperparameters/eps2-changed": "keeps eps2 in every group, and reads the constructor's",
    },
}
SOURCES = (
    Source("adafactor/torch", "torch.optim:Adafactor"),
    Source(
        "adafactor/paper",
        "torch_optimizer:Adafactor",
        hyperparameters={"lr": 1e-2},
        fixed=("lr",),
        rename=PARAMETERS,
    ),
    Source(
        "adafactor/warmup",
        "torch_optimizer:Adafactor",
        keywords={"warmup_init": True},
        hyperparameters={"lr": 1e-6},
        fixed=("lr",),
        rename=PARAMETERS,
    ),
    Source(
        "adafactor/external",
        "torch_optimizer:Adafactor",
        keywords={"relative_step": False},
        hyperparameters={"lr": 1e-3},
        rename=PARAMETERS,
    ),
    Source(
        "adafactor/unscaled",
        "torch_optimizer:Adafactor",
        keywords={"relative_step": False, "scale_parameter": False},
        hyperparameters={"lr": 1e-3},
        rename=PARAMETERS,
    ),
    Source(
        "adafactor/average",
        "torch_optimizer:Adafactor",
        hyperparameters={"lr": 1e-2, "beta1": 0.9},
        fixed=("lr",),
        rename=PARAMETERS,
    ),
    Source("adafactor/capped", "pytorch_optimizer:AdaFactor", **BIG_VISION),
    Source(
        "adafactor/decay-unscaled",
        "pytorch_optimizer:AdaFactor",
        **{**BIG_VISION, "keywords": {"momentum_dtype": torch.float64, "fixed_decay": True}},
    ),
)
