"""torch_optimizer.SGDW decays by subtracting a constant, whatever the parameter is.

Package: torch-optimizer 0.3.0.
Found by: sgdw/numerics/trajectory.
Requirement: weight decay shrinks the parameter, theta - lr * weight_decay * theta (decoupled decay,
    arXiv:1711.05101, algorithm 1).
Observed: it computes theta - lr * weight_decay, so positive weights shrink, negative ones grow, and
    a weight at 0 starts to move.
"""

import torch
from torch_optimizer import SGDW

p = torch.nn.Parameter(torch.tensor([4.0, 0.0, -4.0]))
p.grad = torch.zeros(3)
SGDW([p], lr=0.5, weight_decay=0.25).step()
expected = torch.tensor([3.5, 0.0, -3.5])
assert torch.equal(p.detach(), expected), f"decay leads to {p.tolist()}, not {expected.tolist()}"
