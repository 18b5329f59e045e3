"""torch.optim.ASGD computes its learning rate in torch's default dtype, not in the parameter's.

Package: torch 2.13.0.
Found by: asgd/isolation/narrow-default-dtype.
Requirement: parameters move the same where torch's default dtype is float16.
Observed: eta is kept in float32, but what is written there has been a tensor of the default dtype:
    after two steps it has eleven bits.
"""

import torch

rates = []
for default in (torch.float32, torch.float16):
    torch.set_default_dtype(default)
    try:
        p = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
        optimizer = torch.optim.ASGD([p], lr=0.1, foreach=False)
        for _ in range(2):
            p.grad = torch.ones_like(p)
            optimizer.step()
        rates.append(optimizer.state[p]["eta"].item())
    finally:
        torch.set_default_dtype(torch.float32)
usual, other = rates
assert abs(other - usual) < 1e-6, f"eta is {other}, with float32 as default dtype it is {usual}"
