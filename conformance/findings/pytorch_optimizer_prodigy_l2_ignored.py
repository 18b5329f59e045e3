"""pytorch_optimizer.Prodigy(weight_decouple=False) has no weight decay at all.

Package: pytorch_optimizer 4.1.0.
Found by: prodigy/numerics/trajectory, against prodigy/l2.
Requirement: without decoupling, weight decay times the parameter is added to the gradient before
    the moments see it, as in the authors' package, prodigyopt.
Observed: it is added to p.grad after the moments and all sums were computed, where nobody reads it.
"""

import torch
from pytorch_optimizer import Prodigy


def moved(weight_decay: float) -> float:
    """Where one step ends."""
    p = torch.nn.Parameter(torch.ones(1))
    optimizer = Prodigy([p], d0=0.125, weight_decay=weight_decay, weight_decouple=False)
    p.grad = torch.full((1,), -1.0)
    optimizer.step()
    return p.item()


assert moved(0.0) != moved(2.0), "weight_decay = 2 outweighs the gradient, but moves nothing"
