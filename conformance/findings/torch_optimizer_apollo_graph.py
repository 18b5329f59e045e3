"""torch_optimizer.Apollo keeps the graph of all its steps, and its state cannot be copied.

Package: torch-optimizer 0.3.0.
Found by: state/detached and state/pure, tried on all classes of the package.
Requirement: no tensor that is kept requires a gradient; state_dict() can be copied and saved.
Observed: with weight decay a step computes with the parameter itself, and not without gradients.
    Its averages require a gradient after the first step, each step adds to their graph, and
    copy.deepcopy raises RuntimeError.
"""

import torch
from torch_optimizer import Apollo

p = torch.nn.Parameter(torch.ones(1))
optimizer = Apollo([p], lr=0.5, weight_decay=0.125)
p.grad = torch.ones(1)
optimizer.step()
kept = [name for name, x in optimizer.state[p].items() if getattr(x, "requires_grad", False)]
assert not kept, f"{', '.join(kept)} of its state requires a gradient"
