"""Some of pytorch_optimizer's optimizers write into p.grad in every step, with default arguments.

Package: pytorch_optimizer 4.1.0 (Adalite, LARS, NovoGrad, Ranger, ScheduleFreeAdamW and Muon).
Found by: muon/gradients/untouched and ranger/gradients/untouched.
Requirement: a step leaves p.grad as it found it.
Observed: after the step p.grad holds an intermediate of the update: centralized, scaled, divided or
    with the momentum in it. Gradients that are accumulated, logged or used again are wrong.
"""

from typing import Any

import pytorch_optimizer
import torch

NAMES: dict[str, dict[str, Any]] = {
    "Adalite": {},
    "LARS": {},
    "Lion": {},
    "Muon": {"use_muon": True},
    "NovoGrad": {},
    "Ranger": {},
    "ScheduleFreeAdamW": {},
}
gradient = torch.tensor([[1.0, 2.0], [3.0, 5.0]])
changed = []
for name, group in NAMES.items():
    p = torch.nn.Parameter(torch.ones(2, 2))
    optimizer = getattr(pytorch_optimizer, name)([{"params": [p], **group}], lr=0.5)
    for _ in range(2):
        p.grad = gradient.clone()
        optimizer.step()
    if p.grad is None or not torch.equal(p.grad, gradient):
        changed.append(name)
assert not changed, f"{', '.join(changed)} changed p.grad"
