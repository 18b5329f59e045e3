"""torch_optimizer: RAdam and NovoGrad resumed with half-precision parameters lose float32 state.

Package: torch-optimizer 0.3.0.
Found by: radam/checkpoints/bfloat16 and float16, against radam/decoupled, and the same of novograd.
Requirement: a run resumed from state_dict() continues bit for bit.
Observed: moments are float32 whatever type the parameters have; load_state_dict() is torch's,
    which casts them to the type of the parameters.
"""

import torch
from torch_optimizer import RAdam

p = torch.nn.Parameter(torch.ones(1, dtype=torch.bfloat16))
first, second = RAdam([p], lr=0.5), RAdam([p], lr=0.5)
p.grad = torch.ones_like(p)
first.step()
second.load_state_dict(first.state_dict())
saved, loaded = (optimizer.state[p]["exp_avg"] for optimizer in (first, second))
assert loaded.dtype == saved.dtype, f"saved in {saved.dtype}, loaded in {loaded.dtype}"
