"""pytorch_optimizer.Kron: a run of bfloat16 or float64 parameters cannot be resumed.

Package: pytorch_optimizer 4.1.0.
Found by: checkpoints/float64 and checkpoints/bfloat16, tried on all classes of the package.
Requirement: a run resumed from state_dict() continues.
Observed: its preconditioners are float32 whatever type the parameters have; load_state_dict() is
    torch's, which casts them to the type of the parameters, and the next step raises RuntimeError.
"""

import copy

import torch
from pytorch_optimizer import Kron

p = torch.nn.Parameter(torch.ones(3, 3, dtype=torch.bfloat16))
first, second = Kron([p]), Kron([p])
p.grad = torch.ones_like(p)
first.step()
second.load_state_dict(copy.deepcopy(first.state_dict()))
first.step()
try:
    second.step()
except RuntimeError as error:
    raise AssertionError(f"the resumed run raises RuntimeError: {error}") from error
