"""torch_optimizer.Lookahead.zero_grad() fills gradients with zeros instead of dropping them.

Package: torch-optimizer 0.3.0.
Found by: lookahead(sgd)/gradients/dropped, against lookahead/first(sgd).
Requirement: zero_grad() of a torch.optim.Optimizer sets p.grad to None unless told otherwise.
Observed: its set_to_none is False by default, as it was before torch 2.0: a parameter that has no
    part in the next backward pass is moved by momentum and decay, where torch's own skip it.
"""

import torch
from torch_optimizer import Lookahead

p = torch.nn.Parameter(torch.ones(1))
optimizer = Lookahead(torch.optim.SGD([p], lr=0.5))
p.grad = torch.ones(1)
optimizer.zero_grad()
assert p.grad is None, f"p.grad is {p.grad.tolist()} after zero_grad()"
