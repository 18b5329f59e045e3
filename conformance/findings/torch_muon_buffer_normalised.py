"""torch.optim.Muon normalises its momentum buffer where parameters are bfloat16.

Package: torch 2.13.0.
Found by: muon/precision/bfloat16.nesterov.
Requirement: with bfloat16 parameters and nesterov = False no lane leaves the trajectory by an
    eighth of its update.
Observed: without Nesterov the buffer itself is handed to the iteration, which takes a copy in
    bfloat16 to work on; of a bfloat16 tensor that is no copy, and dividing it by its norm changes
    the buffer.
"""

from typing import Any

import torch

p = torch.nn.Parameter(torch.zeros(2, 2, dtype=torch.bfloat16))
p.grad = torch.full_like(p, 8.0)
optimizer: Any = torch.optim.Muon([p], momentum=0.5, nesterov=False)
optimizer.step()
buffer = optimizer.state[p]["momentum_buffer"]
if not torch.equal(buffer, torch.full_like(p, 4.0)):
    raise AssertionError(f"an average of 0 and 8 became {buffer.flatten().tolist()}")
