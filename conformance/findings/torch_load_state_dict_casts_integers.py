"""torch.optim.Optimizer loads integer state in the type of the parameters.

Package: torch 2.13.0.
Found by: checkpoints/described and checkpoints/float64, against an Adam that counts in int64.
Requirement: load_state_dict() assumes of floating-point state alone that it has the type of the
    parameters, as its own source says; a count stays a count.
Observed: every tensor is cast that is not called `step`. A bfloat16 count stops at 256.
"""

from typing import Any

import torch


class Counting(torch.optim.SGD):
    """It counts its steps in a tensor of integers."""

    def step(self, closure: Any = None) -> Any:
        """Count, and go on."""
        for p in self.param_groups[0]["params"]:
            self.state[p].setdefault("count", torch.tensor(0)).add_(1)
        return super().step(closure)


p = torch.nn.Parameter(torch.ones(1, dtype=torch.bfloat16))
first, second = Counting([p], lr=0.5), Counting([p], lr=0.5)
for _ in range(257):
    first.step()
second.load_state_dict(first.state_dict())
count = second.state[p]["count"]
assert count.item() == 257, f"257 steps were counted, {count.item():g} are loaded, in {count.dtype}"
