"""torch.optim.lr_scheduler.OneCycleLR(anneal_strategy="linear") ends in a negative learning rate.

Package: torch 2.13.0.
Found by: reading what one-cycle-lr says of its last epoch, total_steps - 1.
Requirement: a step beyond the schedule is refused, as the one after it is.
Observed: step number total_steps is taken, and the line goes on below the last rate: below zero.
"""

import torch
from torch.optim.lr_scheduler import OneCycleLR

optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0, momentum=0.5)
scheduler = OneCycleLR(optimizer, max_lr=1.0, total_steps=10, anneal_strategy="linear")
try:
    for _ in range(10):
        optimizer.step()
        scheduler.step()
except ValueError:
    pass
(rate,) = scheduler.get_last_lr()
assert rate >= 0, f"after 10 steps of a cycle of 10 the learning rate is {rate}"
