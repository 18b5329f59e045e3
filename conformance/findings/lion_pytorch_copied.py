"""lion_pytorch.Lion: neither a deep copy nor a pickle of it can make a step.

Package: lion-pytorch 0.2.5.
Found by: lion/copies/deepcopy and copies/pickle, against lion/paper.
Requirement: a copy of parameters and optimizer together goes on as the original does.
Observed: options are attributes, which torch.optim.Optimizer does not copy. The first step of the
    copy raises AttributeError.
"""

import copy

import torch
from lion_pytorch import Lion

p = torch.nn.Parameter(torch.ones(1))
q, optimizer = copy.deepcopy((p, Lion([p])))
q.grad = torch.ones(1)
try:
    optimizer.step()
except AttributeError as error:
    raise AssertionError(f"the copy cannot make a step: {error}") from error
