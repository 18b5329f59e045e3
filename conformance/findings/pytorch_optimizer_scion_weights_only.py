"""pytorch_optimizer.SCION: torch.load() refuses what its state_dict() was saved to.

Package: pytorch_optimizer 4.1.0.
Found by: scion/checkpoints/weights-only, against scion/clamped.
Requirement: torch.load() reads a saved state_dict() as it does by default, with weights_only=True.
Observed: a parameter group holds an object of a class of the library's own.
"""

import io
import pickle

import torch
from pytorch_optimizer import SCION

buffer = io.BytesIO()
torch.save(SCION([torch.nn.Parameter(torch.ones(2, 2))]).state_dict(), buffer)
buffer.seek(0)
try:
    torch.load(buffer)
except pickle.UnpicklingError as error:
    raise AssertionError("the checkpoint is not read with weights_only=True") from error
