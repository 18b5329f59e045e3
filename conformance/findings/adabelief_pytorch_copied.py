"""adabelief_pytorch.AdaBelief: neither a deep copy nor a pickle of it can make a step.

Package: adabelief-pytorch 0.2.1.
Found by: adabelief/copies/deepcopy and copies/pickle, against adabelief/paper.
Requirement: a copy of parameters and optimizer together goes on as the original does.
Observed: `weight_decouple`, `rectify` and `fixed_decay` are attributes, which
    torch.optim.Optimizer does not copy. The first step of the copy raises AttributeError.
"""

import copy

import torch
from adabelief_pytorch import AdaBelief

p = torch.nn.Parameter(torch.ones(1))
q, optimizer = copy.deepcopy((p, AdaBelief([p], print_change_log=False)))
q.grad = torch.ones(1)
try:
    optimizer.step()
except AttributeError as error:
    raise AssertionError(f"the copy cannot make a step: {error}") from error
