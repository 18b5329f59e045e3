"""torch's CosineAnnealingWarmRestarts, constructed with last_epoch=k, is in the wrong round.

Package: torch 2.13.0.
Found by: cosine-annealing-warm-restarts/construction/last-epoch.
Requirement: constructed with last_epoch=k it goes on with the rate of epoch k + 1.
Observed: from the third round on, with T_mult=2, it has the phase of an earlier, shorter round: k
    epochs are taken to lie in the first one.
"""

import torch
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts


def optimizer() -> torch.optim.Optimizer:
    """One parameter at rate 1."""
    return torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)


first, second = optimizer(), optimizer()
straight = CosineAnnealingWarmRestarts(first, T_0=2, T_mult=2)
for _ in range(4):
    first.step()
    straight.step()
second.load_state_dict(first.state_dict())
first.step()
straight.step()
resumed = CosineAnnealingWarmRestarts(second, T_0=2, T_mult=2, last_epoch=4)
want, got = straight.get_last_lr(), resumed.get_last_lr()
assert want == got, f"at epoch {resumed.last_epoch} the rate is {got}, not {want}"
