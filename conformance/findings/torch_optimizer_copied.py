"""torch_optimizer: deep copies and pickles of Lamb and AdaBelief cannot make a step.

Package: torch-optimizer 0.3.0.
Found by: lamb/copies/deepcopy and copies/pickle, against lamb/clamped.
Requirement: a copy of parameters and optimizer together goes on as the original does.
Observed: options are attributes, which torch.optim.Optimizer does not copy. The first step of the
    copy raises AttributeError.
"""

import copy

import torch
from torch_optimizer import Lamb

p = torch.nn.Parameter(torch.ones(1))
q, optimizer = copy.deepcopy((p, Lamb([p])))
q.grad = torch.ones(1)
try:
    optimizer.step()
except AttributeError as error:
    raise AssertionError(f"the copy cannot make a step: {error}") from error
