"""optimi.Adam counts steps per parameter group: a parameter that joins late is not bias-corrected.

Package: torch-optimi 0.3.3.
Found by: adam/gradients/none.
Requirement: bias correction counts the steps of the parameter itself (torch.optim.Adam keeps them
    in the parameter's state), so that its first update has size lr.
Observed: the counter is the group's; 100 steps late, the first update is 0.80 lr.
"""

import optimi
import torch

early, late = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
optimizer = optimi.Adam([early, late], lr=0.5)
for _ in range(100):
    early.grad = torch.ones(1)
    optimizer.step()
late.grad = torch.ones(1)
optimizer.step()
first = abs(late.item())
assert first > 0.499, f"the first update of the late parameter is {first:.4f}, not lr = 0.5"
