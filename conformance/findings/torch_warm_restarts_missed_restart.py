"""torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.step(epoch) misses restarts.

Package: torch 2.13.0.
Found by: cosine-annealing-warm-restarts/forms/epoch.
Requirement: step(epoch) sets the rate that stepping up to that epoch sets.
Observed: with T_0=1 and T_mult=3 the sixth round starts at epoch 121, where the rate is the highest
    one; step(121) sets the lowest one. The number of rounds is the integer part of a logarithm that
    rounds to just below 5.
"""

import torch
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts


def scheduler() -> CosineAnnealingWarmRestarts:
    """Rounds of 1, 3, 9... epochs."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    optimizer.step()
    return CosineAnnealingWarmRestarts(optimizer, T_0=1, T_mult=3)


stepped, jumped = scheduler(), scheduler()
for _ in range(121):
    stepped.step()
jumped.step(121)
want, got = stepped.get_last_lr(), jumped.get_last_lr()
assert want == got, f"step(121) sets {got}, 121 steps set {want}"
