"""torch.optim.SGD(nesterov=True, foreach=True) overwrites p.grad where weight_decay is 0.

Package: torch 2.13.0.
Found by: nesterov/gradients/untouched.
Requirement: a step leaves p.grad as it found it.
Observed: p.grad becomes grad + momentum * momentum_buffer, so gradients that accumulate over
    several backward() calls, or are logged after the step, are wrong; the loop and the fused
    implementation leave it alone. foreach is what torch chooses by itself on CUDA.
"""

import torch

p = torch.nn.Parameter(torch.ones(3))
optimizer = torch.optim.SGD([p], lr=0.5, momentum=0.5, nesterov=True, foreach=True)
p.grad = torch.ones(3)
optimizer.step()
assert torch.equal(p.grad, torch.ones(3)), f"p.grad is {p.grad.tolist()} after the step"
