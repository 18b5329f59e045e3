"""keras.optimizers.Adam moves no bfloat16 variable on the torch backend at its default betas.

Package: keras 3.15.1.
Found by: adamw/precision/bfloat16-defaults.
Requirement: a step with gradient 1 is about lr long (torch.optim.Adam's is, in bfloat16 as well).
Observed: beta_2 = 0.999 is cast to the type of the variable before 1 - beta_2^t is formed. That is
    1 in bfloat16, the step size is 0, and nothing is ever learnt. AdamW and Lamb do the same.
"""

import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch

variable = keras.Variable([1.0], dtype="bfloat16")
optimizer = keras.optimizers.Adam(learning_rate=0.1)
for _ in range(10):
    optimizer.apply([torch.ones(1, dtype=torch.bfloat16)], [variable])
assert float(variable.value) < 0.5, f"after 10 steps of 0.1 from 1 it is {float(variable.value)}"
