"""torch.optim.RAdam(foreach=True) makes float16 parameters NaN in its first steps.

Package: torch 2.13.0.
Found by: radam/precision/float16-defaults.
Requirement: before rectification sets in a step is one of momentum and reads no second moment; a
    gradient of zero moves nothing, as in the loop implementation.
Observed: the adaptive step is computed all the same and multiplied by 0. In float16 eps = 1e-8
    is 0, so that where the second moment is 0 as well that is 0 times infinity.
"""

import torch


def stepped(foreach: bool) -> torch.Tensor:
    """A parameter of ones after one step on a gradient of zero."""
    parameter = torch.nn.Parameter(torch.ones(3, dtype=torch.float16))
    parameter.grad = torch.zeros_like(parameter)
    torch.optim.RAdam([parameter], foreach=foreach).step()
    return parameter.detach()


assert bool((stepped(foreach=False) == 1).all())
assert bool((stepped(foreach=True) == 1).all()), f"foreach gives {stepped(foreach=True).tolist()}"
