"""pytorch_optimizer: deep copies and pickles of most optimizers cannot make a step.

Package: pytorch_optimizer 4.1.0.
Found by: radam/copies/deepcopy and copies/pickle, against radam/wait; the same of AdaBelief, Lion,
    LAMB, LARS, MARS, Prodigy and 24 others.
Requirement: a copy of parameters and optimizer together goes on as the original does.
Observed: they keep options as attributes (`maximize`, `foreach`, `pre_norm`), which
    torch.optim.Optimizer does not copy. The first step of the copy raises AttributeError.
"""

import copy

import torch
from pytorch_optimizer import RAdam

p = torch.nn.Parameter(torch.ones(1))
q, optimizer = copy.deepcopy((p, RAdam([p])))
q.grad = torch.ones(1)
try:
    optimizer.step()
except AttributeError as error:
    raise AssertionError(f"the copy cannot make a step: {error}") from error
