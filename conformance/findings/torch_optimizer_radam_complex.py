"""torch_optimizer.RAdam drops the imaginary part of complex parameters without an exception.

Package: torch-optimizer 0.3.0.
Found by: radam/gradients/complex, against radam/decoupled.
Requirement: complex parameters move as pairs of real numbers do, or are refused.
Observed: parameter and gradient are converted to real numbers, and the imaginary part becomes 0.
"""

import warnings

import torch
import torch_optimizer

warnings.simplefilter("ignore")  # torch warns that imaginary parts are discarded

p = torch.nn.Parameter(torch.tensor([1.0 + 1.0j]))
p.grad = torch.tensor([1.0 + 1.0j])
optimizer = torch_optimizer.RAdam([p], lr=0.1)
for _ in range(8):
    optimizer.step()
assert p.imag.item() == p.real.item(), f"both parts have the same gradient, and p is {p.item():.3f}"
