"""optimi's Adam, AdamW, Adan and StableAdamW with foreach=True write their denominator to p.grad.

Package: torch-optimi 0.3.3.
Found by: adamw/implementations/foreach (adamw/gradients/untouched under it).
Requirement: a step leaves p.grad as it found it, whatever its implementation.
Observed: after the step p.grad is the root of the second moment plus eps, so gradients that are
    accumulated, logged or used by a second optimizer afterwards are wrong, even in their signs.
"""

import warnings

import optimi
import torch

warnings.simplefilter("ignore")  # foreach is to make room for triton
for optimizer_class in (optimi.Adam, optimi.AdamW, optimi.Adan, optimi.StableAdamW):
    p = torch.nn.Parameter(torch.ones(3))
    p.grad = -torch.ones(3)
    optimizer_class([p], lr=0.5, foreach=True).step()
    unchanged = torch.equal(p.grad, -torch.ones(3))
    assert unchanged, f"{optimizer_class.__name__}: p.grad is now {p.grad.tolist()}"
