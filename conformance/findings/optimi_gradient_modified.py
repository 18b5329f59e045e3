"""optimi.Adam and optimi.SGD with weight decay add the decay to p.grad itself.

Package: torch-optimi 0.3.3.
Found by: adam/gradients/untouched and sgd/gradients/untouched.
Requirement: a step leaves p.grad as it found it.
Observed: after the step p.grad is grad + weight_decay * p, so gradients that are accumulated,
    logged or used by a second optimizer afterwards are wrong.
"""

import optimi
import torch

for optimizer_class in (optimi.SGD, optimi.Adam):
    p = torch.nn.Parameter(torch.ones(3))
    p.grad = torch.ones(3)
    optimizer_class([p], lr=0.5, weight_decay=0.25).step()
    assert torch.equal(p.grad, torch.ones(3)), f"{optimizer_class.__name__}: p.grad is now {p.grad}"
