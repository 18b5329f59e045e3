"""torch.optim.Adafactor, Adagrad and ASGD count steps in float32: their rates stop falling.

Package: torch 2.13.0.
Found by: adafactor/state/large-count, adagrad/state/large-count and asgd/state/large-count.
Requirement: steps are counted beyond 16777216, as long as the equations can tell.
Observed: 2^24 + 1 is 2^24 in float32, where `step` stays; Adagrad with lr_decay moves as far after
    33554432 steps as after 16777216. torchao's Adam had it at 256, with bfloat16 as default dtype:
    pytorch/ao#4915.
"""

import torch

counts = {}
for name in ("Adafactor", "Adagrad", "ASGD"):
    p = torch.nn.Parameter(torch.ones(1))
    optimizer = getattr(torch.optim, name)([p])
    p.grad = torch.ones_like(p)
    optimizer.step()
    optimizer.state[p]["step"].fill_(2**24)
    optimizer.step()
    counts[name] = int(optimizer.state[p]["step"])
assert set(counts.values()) == {2**24 + 1}, f"after 16777217 steps they have counted {counts}"
