"""madgrad.MADGRAD resumed with half-precision parameters has lost most of its sums.

Package: madgrad 1.3.
Found by: madgrad/checkpoints/bfloat16 and float16, against madgrad/release.
Requirement: a run resumed from state_dict() continues bit for bit.
Observed: its sums are float32 for half-precision parameters, as they have to be; load_state_dict()
    is torch's, which casts them to the type of the parameters.
"""

import madgrad
import torch

p = torch.nn.Parameter(torch.ones(1, dtype=torch.bfloat16))
first, second = madgrad.MADGRAD([p], lr=0.5), madgrad.MADGRAD([p], lr=0.5)
p.grad = torch.ones_like(p)
first.step()
second.load_state_dict(first.state_dict())
saved, loaded = (optimizer.state[p]["grad_sum_sq"] for optimizer in (first, second))
assert loaded.dtype == saved.dtype, f"saved in {saved.dtype}, loaded in {loaded.dtype}"
