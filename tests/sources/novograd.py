"""NovoGrad: torch_optimizer's, pytorch_optimizer's, and the paper's box."""

from __future__ import annotations

from sources import Source

SHARED = {"gradients/untouched": "writes to p.grad"}
HALVED = dict.fromkeys(
    ("checkpoints/bfloat16", "checkpoints/float16"), "float32 state is loaded in the narrow type"
)
SOURCES = (
    Source("novograd/paper", "pytorch_optimizer:NovoGrad", defects=SHARED),
    # It keeps the second moment in float32, whatever type the parameters have.
    Source(
        "novograd/zero",
        "torch_optimizer:NovoGrad",
        lacks=("float64",),
        defects={**SHARED, **HALVED},
    ),
    Source(
        "novograd/decoupled",
        "pytorch_optimizer:NovoGrad",
        keywords={"weight_decouple": True},
        defects=SHARED,
    ),
)
