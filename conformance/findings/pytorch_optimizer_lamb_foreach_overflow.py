"""pytorch_optimizer.Lamb (foreach) makes float16 parameters NaN where their gradients are zero.

Package: pytorch-optimizer 4.1.0.
Found by: lamb/decoupled in float16 with default hyperparameters, where a whole gradient is zero.
Requirement: where first and second moment are 0 the direction is 0/(0 + eps) = 0 and nothing moves,
    as in the loop implementation of the same class.
Observed: the moment is multiplied by 1/(0 + eps), which overflows in float16 with eps = 1e-6, and
    infinity times 0 is no number. foreach is the default.
"""

import torch
from pytorch_optimizer import Lamb


def stepped(foreach: bool) -> torch.Tensor:
    """A parameter of sixes after one step on a gradient of zero."""
    parameter = torch.nn.Parameter(torch.full((3,), 6.0, dtype=torch.float16))
    parameter.grad = torch.zeros_like(parameter)
    Lamb([parameter], foreach=foreach).step()
    return parameter.detach()


assert bool((stepped(foreach=False) == 6).all())
assert bool((stepped(foreach=True) == 6).all()), f"foreach gives {stepped(foreach=True).tolist()}"
