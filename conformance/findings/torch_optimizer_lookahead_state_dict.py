"""torch_optimizer.Lookahead cannot be saved: state_dict() raises.

Package: torch_optimizer 0.3.0.
Found by: lookahead.sgd/state/pure.
Requirement: state_dict() changes nothing, and describes the same state each time.
Observed: AttributeError, because the class never calls the constructor of torch.optim.Optimizer.
"""

import torch
import torch_optimizer

p = torch.nn.Parameter(torch.ones(3))
optimizer = torch_optimizer.Lookahead(torch.optim.SGD([p], lr=0.5))
try:
    optimizer.state_dict()
except AttributeError as error:
    raise AssertionError(f"it raised AttributeError: {error}") from error
