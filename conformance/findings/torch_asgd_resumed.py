"""torch.optim.ASGD loads its step size in the type of the parameters.

Package: torch 2.13.0.
Found by: asgd/checkpoints/bfloat16 and float16, against asgd/torch. pytorch/pytorch#75224.
Requirement: a run resumed from state_dict() continues bit for bit.
Observed: `eta` and `mu` are float32 numbers whatever type the parameters have, but
    load_state_dict() casts all state except `step`. With bfloat16 parameters the next step is made
    with a step size of three digits.
"""

import torch

p = torch.nn.Parameter(torch.ones(1, dtype=torch.bfloat16))
first, second = (torch.optim.ASGD([p], lr=0.1) for _ in range(2))
p.grad = torch.ones_like(p)
first.step()
second.load_state_dict(first.state_dict())
saved, loaded = (optimizer.state[p]["eta"].item() for optimizer in (first, second))
assert loaded == saved, f"the next step size was {saved:.6f}, it is {loaded:.6f} after loading"
