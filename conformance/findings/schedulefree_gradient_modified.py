"""schedulefree.AdamWScheduleFree divides p.grad itself, and adds the weight decay to it.

Package: schedulefree 1.4.1.
Found by: schedulefree-adamw/gradients/untouched, and the same check of its other optimizers.
Requirement: a step leaves p.grad as it found it.
Observed: after a step p.grad is the direction of the step, so that whatever reads it afterwards (a
    norm that is logged, a second step without a backward pass) reads something else.
"""

import torch
from schedulefree import AdamWScheduleFree

p = torch.nn.Parameter(torch.ones(3))
p.grad = torch.full((3,), 4.0)
optimizer = AdamWScheduleFree([p], lr=0.5)
optimizer.train()
optimizer.step()
assert torch.equal(p.grad, torch.full((3,), 4.0)), f"p.grad is now {p.grad}"
