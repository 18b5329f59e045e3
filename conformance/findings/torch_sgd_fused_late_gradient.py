"""torch.optim.SGD(fused=True, momentum>0) raises once a parameter gets its first gradient late.

Package: torch 2.13.0.
Found by: sgd/gradients/none.
Requirement: a parameter without gradient is left alone, and joins in when it has one.
Observed: TypeError, because momentum buffers of the list are None for some parameters and tensors
    for others; the loop and foreach implementations take the same steps.
"""

import torch

early, late = (torch.nn.Parameter(torch.ones(3)) for _ in range(2))
optimizer = torch.optim.SGD([early, late], lr=0.5, momentum=0.5, fused=True)
early.grad = torch.ones(3)
optimizer.step()
late.grad = torch.ones(3)
try:
    optimizer.step()
except TypeError as error:
    raise AssertionError(f"the second step raised TypeError: {error}") from error
