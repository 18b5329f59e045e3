"""pytorch_optimizer.Adan(maximize=True) takes the first difference of gradients to be 2 g.

Package: pytorch_optimizer 4.1.0.
Found by: adan/options/maximize.
Requirement: there is no difference in the first step; ascending on g is descending on -g, step by
    step.
Observed: the previous gradient is stored before the gradient is negated, so the first difference is
    2 g in the wrong direction, and it stays in the average of differences: after two steps the
    parameter lies elsewhere than with the negated gradients.
"""

import torch
from pytorch_optimizer import Adan

end = []
for sign, maximize in ((1.0, False), (-1.0, True)):
    p = torch.nn.Parameter(torch.zeros(1))
    optimizer = Adan([p], lr=0.5, maximize=maximize)
    for g in (1.0, 3.0):
        p.grad = torch.tensor([sign * g])
        optimizer.step()
    end.append(p.item())
assert abs(end[0] - end[1]) < 1e-6, f"descending on g leads to {end[0]}, ascending to {end[1]}"
