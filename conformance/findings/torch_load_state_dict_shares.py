"""torch.optim: load_state_dict() keeps the tensors of the dict that it is given.

Package: torch 2.13.0.
Found by: adamw/checkpoints/own-copy, against adamw/torch. pytorch/pytorch#196083.
Requirement: steps after load_state_dict() change nothing in the dict that was loaded: a state_dict
    may be loaded into a second optimizer, or kept to return to.
Observed: the copy is shallow. The optimizer goes on writing into the dict's own tensors, so a
    second one that loads the same dict starts from another state, and both disturb each other.
"""

import torch

first, second = (torch.nn.Parameter(torch.ones(1)) for _ in range(2))
optimizer = torch.optim.AdamW([first])
first.grad = second.grad = torch.ones(1)
optimizer.step()
saved = optimizer.state_dict()
other = torch.optim.AdamW([second])
other.load_state_dict(saved)
other.step()
count = optimizer.state[first]["step"].item()
assert count == 1, f"one step was made, its state says {count:g} after another optimizer's step"
