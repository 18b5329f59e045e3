"""torch.optim.lr_scheduler.OneCycleLR divides by zero where pct_start * total_steps is 1.

Package: torch 2.13.0.
Found by: one-cycle-lr, whose equations divide by pct_start * total_steps - 1.
Requirement: arguments that the schedule cannot use are refused with a ValueError that says so.
Observed: ZeroDivisionError from the constructor, for ten steps and pct_start=0.1.
"""

import torch
from torch.optim.lr_scheduler import OneCycleLR

optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0, momentum=0.5)
try:
    OneCycleLR(optimizer, max_lr=1.0, total_steps=10, pct_start=0.1)
except ValueError:
    pass
except ZeroDivisionError as error:
    raise AssertionError(f"the constructor raised ZeroDivisionError: {error}") from error
