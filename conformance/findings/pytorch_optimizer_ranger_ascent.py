"""pytorch_optimizer.Ranger climbs in its first five steps: parameters move along the gradient.

Package: pytorch_optimizer 4.1.0.
Found by: ranger/numerics/trajectory.
Requirement: before rectification a step goes along the first moment, downhill.
Observed: without degenerated_to_sgd, its default, the step size of those steps is -lr, which is
    meant to say that they are to be left out; it is used as it is.
"""

import pytorch_optimizer
import torch

p = torch.nn.Parameter(torch.ones(3))
optimizer = pytorch_optimizer.Ranger([p], lr=0.5)
p.grad = torch.ones(3)
optimizer.step()
assert (p <= 1).all(), f"a positive gradient moved the parameter from 1 to {p[0].item()}"
