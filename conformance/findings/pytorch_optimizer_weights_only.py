"""pytorch_optimizer: torch.load() refuses checkpoints of AdaShift, Conda and ScalableShampoo.

Package: pytorch_optimizer 4.1.0.
Found by: checkpoints/weights-only, tried on all classes of the package.
Requirement: torch.load() reads a saved state_dict() as it does by default, with weights_only=True.
Observed: state holds a deque, or an object of a class of the library's own.
"""

import io
import pickle

import torch
from pytorch_optimizer import AdaShift

p = torch.nn.Parameter(torch.ones(2))
optimizer = AdaShift([p])
p.grad = torch.ones(2)
optimizer.step()
buffer = io.BytesIO()
torch.save(optimizer.state_dict(), buffer)
buffer.seek(0)
try:
    torch.load(buffer)
except pickle.UnpicklingError as error:
    raise AssertionError("the checkpoint is not read with weights_only=True") from error
