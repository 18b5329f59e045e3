"""torch.optim's fused optimizers on CPU add gradients to the wrong lanes of transposed parameters.

Package: torch 2.13.0.
Found by: adam/tensors/transposed with fused=True; likewise SGD, AdamW and Adagrad, and
    channels-last parameters.
Requirement: parameters that are transposed in memory move as contiguous ones do, or are refused
    before anything changes.
Observed: where parameter and gradient are of the same shape and of different strides, the kernel
    pairs them by their place in memory; the loop and foreach implementations pair lanes.
"""

import torch

moved = []
for fused in (False, True):
    p = torch.nn.Parameter(torch.zeros(3, 2).t())
    p.grad = torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    torch.optim.Adam([p], lr=1.0, fused=fused).step()
    moved.append(p.detach().round())
assert torch.equal(*moved), f"with fused=True {moved[1].tolist()}, without {moved[0].tolist()}"
