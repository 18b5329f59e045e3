"""pytorch_optimizer's AdaFactor and CAME take eps1 from the constructor, whatever a group says.

Package: pytorch_optimizer 4.1.0.
Found by: adafactor/hyperparameters/eps1-changed.
Requirement: a hyperparameter that stands in the parameter groups is read from them, so that groups
    may differ and schedules may change it.
Observed: every group has an eps1 of its own, which no step reads.
"""

from typing import Any

import torch
from pytorch_optimizer import CAME, AdaFactor

EPS: dict[str, Any] = {"eps1": 1.0}
ignored = []
for optimizer_class in (AdaFactor, CAME):
    end = []
    for arguments, groups in ((EPS, {}), ({}, EPS)):
        p = torch.nn.Parameter(torch.ones(2))
        p.grad = torch.tensor([1.0, 2.0])
        optimizer_class([{"params": [p], **groups}], lr=0.5, **arguments).step()
        end.append(p.tolist())
    if end[0] != end[1]:
        ignored.append(f"{optimizer_class.__name__} leads to {end[1]}, not {end[0]}")
assert not ignored, f"with eps1=1 in the group: {'; '.join(ignored)}"
