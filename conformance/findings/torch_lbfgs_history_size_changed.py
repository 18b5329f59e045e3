"""torch.optim.LBFGS raises once history_size is raised between steps.

Package: torch 2.13.0.
Found by: lbfgs/hyperparameters/history-size-changed.
Requirement: what a parameter group says acts from the next step on.
Observed: IndexError, because the list of the first loop's factors is made once, as long as
    history_size was then. Lowered, history_size is never met again, and the history grows without
    limit.
"""

from typing import Any

import torch

p = torch.nn.Parameter(torch.tensor([3.0, -2.0, 1.0]))
optimizer: Any = torch.optim.LBFGS([p], lr=0.1, max_iter=4, history_size=2)


def closure() -> Any:
    """A loss far from its minimum."""
    optimizer.zero_grad()
    loss: Any = (p**4).sum()
    loss.backward()
    return loss


optimizer.step(closure)
optimizer.param_groups[0]["history_size"] = 3
try:
    optimizer.step(closure)
except IndexError as error:
    raise AssertionError(f"the second step raised IndexError: {error}") from error
