"""torch.optim.NAdam loads its product of momenta in the type of the parameters.

Package: torch 2.13.0.
Found by: nadam/checkpoints/float64, bfloat16 and float16, against nadam/torch.
    pytorch/pytorch#75224.
Requirement: a run resumed from state_dict() continues bit for bit.
Observed: `mu_product` is a float32 number whatever type the parameters have, but load_state_dict()
    casts all state except `step`. With bfloat16 parameters three of its digits are left, with
    float64 ones the following products are taken in float64.
"""

import copy

import torch


def advance(p: torch.Tensor, optimizer: torch.optim.Optimizer, steps: int) -> None:
    """So many steps under the same gradient."""
    for _ in range(steps):
        p.grad = torch.full_like(p, 0.25)
        optimizer.step()


whole, resumed = (torch.nn.Parameter(torch.ones(1, dtype=torch.float64)) for _ in range(2))
optimizer = torch.optim.NAdam([whole], lr=0.125)
advance(whole, optimizer, 3)
resumed.data.copy_(whole)
again = torch.optim.NAdam([resumed], lr=0.125)
again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
kept = again.state[resumed]["mu_product"].dtype
advance(whole, optimizer, 1)
advance(resumed, again, 1)
assert resumed.item() == whole.item(), f"{resumed.item()}, not {whole.item()}: it is {kept} now"
