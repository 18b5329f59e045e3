"""torch.optim.lr_scheduler.CyclicLR and OneCycleLR change an optimizer that they refuse.

Package: torch 2.13.0.
Found by: cyclic-lr/errors/unchanged, one-cycle-lr/errors/unchanged.
Requirement: a constructor that raises leaves the optimizer as it was.
Observed: both refuse an optimizer that has no momentum to cycle. CyclicLR has set its rate by then,
and OneCycleLR its initial_lr, from which the scheduler that is constructed instead starts.
"""

from typing import Any

import torch
from torch.optim.lr_scheduler import CyclicLR, OneCycleLR, StepLR


def first_rate(cycle: Any, **arguments: Any) -> Any:
    """The rate that StepLR begins with where a cycle was refused; that of the optimizer was 1."""
    optimizer = torch.optim.Adagrad([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    try:
        cycle(optimizer, **arguments)
    except ValueError:
        (rate,) = StepLR(optimizer, step_size=10).base_lrs
        return rate
    raise SystemExit(f"{cycle.__name__} refuses nothing")


found = {
    "CyclicLR": first_rate(CyclicLR, base_lr=0.125, max_lr=0.5),
    "OneCycleLR": first_rate(OneCycleLR, max_lr=0.5, total_steps=10),
}
assert set(found.values()) == {1.0}, f"the next schedule starts from {found}, not from 1"
