"""torch_optimizer.Lookahead moves parameters that have no gradient.

Package: torch-optimizer 0.3.0.
Found by: lookahead.sgd/tensors/no-gradients, against lookahead/first(sgd).
Requirement: a step in which no parameter has a gradient moves none (torch's own optimizers, and the
    one inside, leave a parameter without p.grad alone: that is how one freezes it).
Observed: every k steps the parameter is set back towards the slow weights, gradient or not.
"""

import torch
import torch_optimizer

p = torch.nn.Parameter(torch.zeros(1))
optimizer = torch_optimizer.Lookahead(torch.optim.SGD([p], lr=1.0), k=2, alpha=0.5)
for gradient in (1.0, 1.0, 1.0, 1.0):
    p.grad = torch.tensor([gradient])
    optimizer.step()
frozen = p.item()
optimizer.zero_grad()
for _ in range(2):
    optimizer.step()
assert p.item() == frozen, f"without gradient the parameter went from {frozen} to {p.item()}"
