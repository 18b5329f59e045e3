"""adabelief_pytorch.AdaBelief resumed with float16 parameters has lost its float32 moments.

Package: adabelief-pytorch 0.2.1.
Found by: adabelief/checkpoints/float16, against adabelief/paper.
Requirement: a run resumed from state_dict() continues bit for bit.
Observed: moments of float16 parameters are float32; load_state_dict() is torch's, which casts them
    to float16, where small second moments are zero.
"""

import torch
from adabelief_pytorch import AdaBelief

p = torch.nn.Parameter(torch.ones(1, dtype=torch.float16))
first, second = (AdaBelief([p], print_change_log=False) for _ in range(2))
p.grad = torch.full_like(p, 2.0**-10)
first.step()
second.load_state_dict(first.state_dict())
saved, loaded = (optimizer.state[p]["exp_avg_var"] for optimizer in (first, second))
assert loaded.dtype == saved.dtype, f"saved as {saved.item():.3g}, loaded as {loaded.item():.3g}"
