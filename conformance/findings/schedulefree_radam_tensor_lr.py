"""schedulefree.RAdamScheduleFree turns every parameter into NaN if its learning rate is a tensor.

Package: schedulefree 1.4.1.
Found by: schedulefree-radam/modes/lr-tensor.
Requirement: a learning rate that is a tensor does what the number does (the signature says
    lr: Union[float, torch.Tensor]).
Observed: the first steps have weight 0, and 0 / 0 is expected to raise a ZeroDivisionError, which
    tensors do not.
"""

import schedulefree
import torch

p = torch.nn.Parameter(torch.ones(3))
optimizer = schedulefree.RAdamScheduleFree([p], lr=torch.tensor(0.5))
optimizer.train()
p.grad = torch.ones(3)
optimizer.step()
assert p.isfinite().all(), f"after one step the parameter is {p.tolist()}"
