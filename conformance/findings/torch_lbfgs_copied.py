"""torch.optim.LBFGS: neither a deep copy nor a pickle of it can make a step.

Package: torch 2.13.0.
Found by: lbfgs/copies/deepcopy and copies/pickle, against lbfgs/torch.
Requirement: a copy of parameters and optimizer together goes on as the original does.
Observed: what is copied is `defaults`, `state` and `param_groups`. The list of parameters that
    LBFGS keeps besides is lost, and the first step of the copy raises AttributeError.
"""

import copy
from typing import Any

import torch

p = torch.nn.Parameter(torch.ones(1))
pair: Any = copy.deepcopy((p, torch.optim.LBFGS([p])))
q, optimizer = pair


def closure() -> torch.Tensor:
    """The same gradient everywhere."""
    q.grad = torch.ones(1)
    return torch.ones(())


try:
    optimizer.step(closure)
except AttributeError as error:
    raise AssertionError(f"the copy cannot make a step: {error}") from error
