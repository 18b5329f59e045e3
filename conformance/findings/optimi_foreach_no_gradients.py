"""optimi's optimizers with foreach=True raise where no parameter has a gradient.

Package: torch-optimi 0.3.3.
Found by: lion/implementations/foreach, against lion/paper, and likewise of all others.
Requirement: a step in which no parameter has a gradient changes nothing, as with foreach=False.
Observed: RuntimeError from an operation on an empty list of tensors.
"""

import optimi
import torch

frozen = torch.nn.Parameter(torch.ones(3))
for optimizer_class in (optimi.Lion, optimi.Adam, optimi.SGD, optimi.RAdam, optimi.Ranger):
    optimizer_class([frozen], lr=0.1, foreach=False).step()
    try:
        optimizer_class([frozen], lr=0.1, foreach=True).step()
    except RuntimeError as error:
        raise AssertionError(f"{optimizer_class.__name__} raised RuntimeError: {error}") from error
