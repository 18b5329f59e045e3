"""pytorch_optimizer's AdamP and SGDP with weight_decouple=False move as if weight_decay were 0.

Package: pytorch_optimizer 4.1.0.
Found by: reading, while adamp and sgdp were specified; a run with and without decay shows it.
Requirement: without decoupling weight_decay is an L2 penalty, as in the package's other optimizers;
    it is part of the gradient that the moments take in.
Observed: the penalty is added to p.grad after the moments, or the momentum buffer, have taken the
    gradient in. It reaches nothing; all that weight_decay changes is p.grad.
"""

import torch
from pytorch_optimizer import SGDP, AdamP

ignored = []
for kind in (AdamP, SGDP):
    end = []
    for weight_decay in (0.0, 0.5):
        p = torch.nn.Parameter(torch.ones(3))
        optimizer = kind([p], lr=0.125, weight_decay=weight_decay, weight_decouple=False)
        for _ in range(3):
            p.grad = torch.full((3,), 0.25)
            optimizer.step()
        end.append(p.detach().clone())
    if torch.equal(*end):
        ignored.append(kind.__name__)
assert not ignored, f"{' and '.join(ignored)} ended alike with and without weight decay"
