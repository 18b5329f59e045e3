"""torch_optimizer.Ranger never calls the closure that step() is given.

Package: torch-optimizer 0.3.0.
Found by: closure/calls, tried on all classes of the package. RangerVA does the same.
Requirement: step(closure) calls it, and returns its loss.
Observed: the call is missing. The step is made with the gradients of the one before, or with none.
"""

import warnings

import torch
from torch_optimizer import Ranger

called: list[int] = []


def closure() -> torch.Tensor:
    """Count the calls."""
    called.append(1)
    return torch.zeros(())


p = torch.nn.Parameter(torch.ones(1))
p.grad = torch.ones(1)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of torch's, about old signatures
    Ranger([p]).step(closure)
assert called, "step(closure) has not called it"
