"""torch.nn.utils.clip_grad_value_ raises where no parameter has a gradient.

Package: torch 2.13.0.
Found by: clip-grad-value/transform/no-gradients.
Requirement: where no parameter has a gradient nothing happens.
Observed: RuntimeError from the grouping of an empty list; clip_grad_norm_ accepts the same.
"""

import torch

frozen = torch.nn.Parameter(torch.ones(3))
torch.nn.utils.clip_grad_norm_([frozen], 1.0)
try:
    torch.nn.utils.clip_grad_value_([frozen], 1.0)
except RuntimeError as error:
    raise AssertionError(f"it raised RuntimeError: {error}") from error
