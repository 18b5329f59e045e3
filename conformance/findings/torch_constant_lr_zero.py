"""torch.optim.lr_scheduler.ConstantLR accepts factor=0 and divides by it later.

Package: torch 2.13.0.
Found by: constant-lr/errors/domain.
Requirement: the constructor refuses what the schedule cannot use; its message allows 0 to 1.
Observed: ZeroDivisionError in the step to epoch total_iters; the closed form has a value there.
"""

import torch
from torch.optim.lr_scheduler import ConstantLR

optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
scheduler = ConstantLR(optimizer, factor=0.0, total_iters=2)
try:
    for _ in range(2):
        optimizer.step()
        scheduler.step()
except ZeroDivisionError as error:
    raise AssertionError("the step to epoch 2 raised ZeroDivisionError") from error
assert scheduler.get_last_lr() == [1.0], scheduler.get_last_lr()
