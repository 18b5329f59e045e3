"""madgrad.MADGRAD makes parameters NaN with momentum=0 and eps=0.

Package: madgrad 1.3.
Found by: madgrad/numerics/zero-eps with hyperparameters={"momentum": 0.0}, against madgrad/release.
Requirement: without momentum the run's start is computed back from parameter and sums; before the
    first step both are the same, whatever eps is.
Observed: it is p + s / rms with s = rms = 0. Only the division of the step itself is kept from
    0 / 0.
"""

import madgrad
import torch

p = torch.nn.Parameter(torch.ones(3))
p.grad = torch.ones(3)
madgrad.MADGRAD([p], lr=0.25, momentum=0.0, eps=0.0).step()
assert torch.isfinite(p).all(), f"after one step the parameter is {p.tolist()}"
