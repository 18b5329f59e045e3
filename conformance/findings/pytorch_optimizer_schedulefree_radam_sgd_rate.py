"""pytorch_optimizer.ScheduleFreeRAdam(silent_sgd_phase=False) starts with a learning rate of 1.

Package: pytorch_optimizer 4.1.0.
Found by: schedulefree-radam/options/start-descend.
Requirement: until the step is rectified, SGD moves the parameter by lr times its gradient, as in
    the authors' package, schedulefree.
Observed: the step size is float(not silent_sgd_phase), which is 1 whatever lr is.
"""

import torch
from pytorch_optimizer import ScheduleFreeRAdam

p = torch.nn.Parameter(torch.zeros(1))
p.grad = torch.ones(1)
ScheduleFreeRAdam([p], lr=0.125, silent_sgd_phase=False).step()
assert p.item() == -0.125, f"lr = 0.125 and the gradient is 1, but p moved to {p.item()}"
