"""keras.optimizers.Adam computes the step size of all variables in the type of the first one.

Package: keras 3.15.1.
Found by: adamw/types/mixed, torch backend.
Requirement: a float32 variable makes the same step, whatever other variables there are.
Observed: beside a bfloat16 variable that comes first it makes none: 1 - beta_2^t is 0 in bfloat16.
"""

import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch

narrow = keras.Variable([1.0], dtype="bfloat16")
single = keras.Variable([1.0], dtype="float32")
optimizer = keras.optimizers.Adam(learning_rate=0.1)
optimizer.apply([torch.ones(1, dtype=torch.bfloat16), torch.ones(1)], [narrow, single])
assert abs(float(single.value) - 0.9) < 1e-3, f"the float32 variable is {float(single.value)}"
