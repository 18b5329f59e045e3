"""pytorch_optimizer.Lookahead takes no hooks of state_dict() and load_state_dict().

Package: pytorch_optimizer 4.1.0.
Found by: lookahead(sgd)/hooks/state-dict and hooks/load-state-dict, against lookahead/calls(sgd).
Requirement: hooks that are registered on a torch.optim.Optimizer are called.
Observed: the constructor does not call that of the base class, and registering one raises
    AttributeError. A deep copy and a pickle raise as well.
"""

import torch
from pytorch_optimizer import Lookahead

optimizer = Lookahead(torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.5))
try:
    optimizer.register_state_dict_post_hook(lambda optimizer, found: found)
except AttributeError as error:
    raise AssertionError(f"no hook can be registered: {error}") from error
