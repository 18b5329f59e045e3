"""torch.optim's fused optimizers on CPU write to memory between the lanes of a sliced parameter.

Package: torch 2.13.0.
Found by: sgd/tensors/slices with fused=True; likewise Adam, AdamW and Adagrad.
Requirement: parameters that are slices of larger tensors move as contiguous ones do, or are refused
    before anything changes.
Observed: the kernel takes the parameter for contiguous: half of its lanes stay where they are, and
    as many numbers that belong to nobody it was given are overwritten.
"""

import torch

whole = torch.zeros(2, 6)
p = torch.nn.Parameter(whole[:, ::2])
p.grad = torch.ones(2, 3)
torch.optim.SGD([p], lr=1.0, fused=True).step()
assert torch.equal(whole[:, 1::2], torch.zeros(2, 3)), f"the larger tensor is now {whole.tolist()}"
assert torch.equal(p.detach(), -torch.ones(2, 3))
