"""torch.optim.Adagrad ignores the initial_accumulator_value of a group, and of groups added later.

Package: torch 2.13.0.
Found by: adagrad/groups/own-values.
Requirement: a group follows the equations with its own hyperparameters; groups may be added.
Observed: every sum starts at the constructor's value, though the group holds its own; a group that
    is added later has no sum at all, and the first step raises KeyError.
"""

import torch

p = torch.nn.Parameter(torch.zeros(1))
p.grad = torch.ones(1)
optimizer = torch.optim.Adagrad([{"params": [p], "initial_accumulator_value": 3.0}], lr=1.0)
assert optimizer.param_groups[0]["initial_accumulator_value"] == 3.0
optimizer.step()
assert p.item() == -0.5, f"1 / sqrt(3 + 1) is 0.5; the parameter moved by {-p.item()}"
