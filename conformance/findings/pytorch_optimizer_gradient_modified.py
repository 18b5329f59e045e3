"""pytorch_optimizer negates p.grad itself to maximize, and adds an L2 penalty to it.

Package: pytorch_optimizer 4.1.0.
Found by: lion/gradients/untouched, and the same check of most of its other optimizers.
Requirement: a step leaves p.grad as it found it.
Observed: after a step with maximize=True p.grad has the opposite sign, so that a second step with
    the same gradients goes the wrong way; after one with weight_decouple=False it is
    grad + weight_decay * p.
"""

import torch
from pytorch_optimizer import Lion

for keywords in ({"maximize": True}, {"weight_decay": 0.25, "weight_decouple": False}):
    p = torch.nn.Parameter(torch.ones(3))
    p.grad = torch.ones(3)
    Lion([p], lr=0.5, **keywords).step()
    assert torch.equal(p.grad, torch.ones(3)), f"{keywords}: p.grad is now {p.grad}"
