"""torch_optimizer.RAdam gives every group the learning rate of the first one.

Package: torch-optimizer 0.3.0.
Found by: radam/groups/own-values.
Requirement: each parameter group follows the equations with its own hyperparameters.
Observed: the step size is remembered by the number of the step alone, in one list that all groups
    share, so that it is computed for the first group and used for all.
"""

import torch
import torch_optimizer

fast, slow = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
groups = [{"params": [fast], "lr": 0.5}, {"params": [slow], "lr": 0.125}]
optimizer = torch_optimizer.RAdam(groups)
fast.grad, slow.grad = torch.ones(1), torch.ones(1)
optimizer.step()
assert slow.item() == -0.125, f"lr = 0.125, but the parameter moved by {-slow.item()}"
