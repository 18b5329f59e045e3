"""madgrad.MADGRAD with weight decay adds the decay to p.grad itself.

Package: madgrad 1.3.
Found by: madgrad/gradients/untouched, against madgrad/release.
Requirement: a step leaves p.grad as it found it.
Observed: after the step p.grad is grad + weight_decay * p.
"""

import madgrad
import torch

p = torch.nn.Parameter(torch.ones(3))
p.grad = torch.ones(3)
madgrad.MADGRAD([p], lr=0.5, weight_decay=0.25).step()
assert torch.equal(p.grad, torch.ones(3)), f"p.grad is now {p.grad.tolist()}"
