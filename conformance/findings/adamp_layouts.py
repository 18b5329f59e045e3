"""adamp.AdamP raises for parameters that are not contiguous, as channels-last filters are not.

Package: adamp 0.3.0.
Found by: adamp/tensors/any-layout.
Requirement: parameters are taken whatever their layout in memory, as torch's own optimizers do
    (model.to(memory_format=torch.channels_last) is torch's advice for convolutions).
Observed: view(-1) of the parameter raises in the first step; reshape(-1) would not.
"""

import adamp
import torch

p = torch.nn.Parameter(torch.ones(2, 3, 4, 4).to(memory_format=torch.channels_last))
p.grad = torch.ones_like(p)
optimizer = adamp.AdamP([p])
try:
    optimizer.step()
except RuntimeError as error:
    raise AssertionError(f"a channels-last parameter is refused: {error}") from error
