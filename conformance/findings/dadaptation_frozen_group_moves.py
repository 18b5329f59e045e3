"""dadaptation.DAdaptAdam moves a parameter group whose learning rate is zero.

Package: dadaptation 3.2.
Found by: reading, while groups of one learning rate were specified (dadapt-adam/authors).
Requirement: groups may have a learning rate of 0 beside that of all others, says its own error
    message; such a group stays where it is.
Observed: its moments pause, but they are subtracted in every step: a group that is frozen midway
    goes on along its last moment for ever.
"""

import torch
from dadaptation import DAdaptAdam

free, frozen = (torch.nn.Parameter(torch.ones(1)) for _ in range(2))
optimizer = DAdaptAdam([{"params": [free]}, {"params": [frozen]}], d0=0.125)


def step() -> None:
    """One step of both groups under a gradient of one."""
    free.grad, frozen.grad = torch.ones(1), torch.ones(1)
    optimizer.step()


step()
optimizer.param_groups[1]["lr"] = 0.0
before = frozen.item()
step()
assert frozen.item() == before, f"lr = 0, but the parameter moved from {before} to {frozen.item()}"
