"""keras.optimizers.Nadam raises on a bfloat16 variable with the torch backend.

Package: keras 3.15.1.
Found by: nadam/precision/bfloat16.
Requirement: a step, as with Adam, or a clear refusal.
Observed: a TypeError of torch._foreach_div, which gets a number of ml_dtypes.
"""

import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch

variable = keras.Variable([1.0], dtype="bfloat16")
try:
    keras.optimizers.Nadam(0.1).apply([torch.ones(1, dtype=torch.bfloat16)], [variable])
    raised = ""
except TypeError as error:
    raised = str(error).splitlines()[0]
assert not raised, raised
