"""prodigyopt.Prodigy with beta1 = 0 steps by a gradient that is scaled by the wrong distance.

Package: prodigyopt 1.1.2.
Found by: prodigy/numerics/zero-beta1.
Requirement: m = beta1 m + (1 - beta1) d g with the distance d from before the step, as v is; where
    beta1 is 0 that is d g, and nearly so where beta1 is next to 0.
Observed: without a first moment it takes g times the distance after the step, which may be many
    times larger.
"""

import torch
from prodigyopt import Prodigy


def moved(beta1: float) -> float:
    """Where two steps end; the distance grows in the second."""
    p = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = Prodigy([p], betas=(beta1, 0.0), d0=0.125, d_coef=8.0)
    for gradient in (1.0, 0.25):
        p.grad = torch.full_like(p, gradient)
        optimizer.step()
    return p.item()


without, barely = moved(0.0), moved(1e-12)
assert abs(without - barely) < 1e-6, f"beta1 = 0 ends at {without}, beta1 = 1e-12 at {barely}"
