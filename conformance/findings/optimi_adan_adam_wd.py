"""optimi.Adan takes adam_wd and does not use it.

Package: torch-optimi 0.3.3.
Found by: adan/numerics/trajectory, against adan/no-prox.
Requirement: with adam_wd=True weights decay before the update, by the factor 1 - lr * weight_decay,
    as the documentation of the argument says.
Observed: step() does not pass the argument on, and the parameter is divided by
    1 + lr * weight_decay after the update, as without it.
"""

import optimi
import torch

p = torch.nn.Parameter(torch.tensor([4.0]))
p.grad = torch.zeros(1)
optimi.Adan([p], lr=0.5, weight_decay=0.25, adam_wd=True).step()
assert p.item() == 3.5, f"4 * (1 - 0.5 * 0.25) is {p.item():.4f}, which is 4 / (1 + 0.5 * 0.25)"
