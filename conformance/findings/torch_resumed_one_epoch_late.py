"""Five of torch's schedulers, constructed with last_epoch=k, stay one epoch behind from then on.

Package: torch 2.13.0 (CosineAnnealingLR, ExponentialLR, LinearLR, MultiplicativeLR, PolynomialLR).
Found by: exponential-lr/construction/last-epoch.
Requirement: constructed over an optimizer that has the rates of epoch k, with last_epoch=k, a
    scheduler goes on with the rates of epoch k + 1, which is what its last_epoch says.
Observed: last_epoch is k + 1 and the rates are those of epoch k; every later epoch is late by one.
    StepLR, MultiStepLR, ConstantLR and LambdaLR do go on.
Reported: https://github.com/pytorch/pytorch/issues/65342 (CosineAnnealingLR)
"""

from typing import Any

import torch
from torch.optim import lr_scheduler

SCHEDULERS: dict[Any, dict[str, Any]] = {
    lr_scheduler.CosineAnnealingLR: {"T_max": 4},
    lr_scheduler.ExponentialLR: {"gamma": 0.5},
    lr_scheduler.LinearLR: {},
    lr_scheduler.MultiplicativeLR: {"lr_lambda": lambda epoch: 0.5},
    lr_scheduler.PolynomialLR: {"total_iters": 4},
    lr_scheduler.StepLR: {"step_size": 1, "gamma": 0.5},
}


def optimizer() -> torch.optim.Optimizer:
    """One parameter at rate 1."""
    return torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)


late = []
for scheduler, arguments in SCHEDULERS.items():
    first, second = optimizer(), optimizer()
    straight = scheduler(first, **arguments)
    first.step()
    straight.step()
    second.load_state_dict(first.state_dict())
    first.step()
    straight.step()
    resumed = scheduler(second, last_epoch=1, **arguments)
    assert resumed.last_epoch == straight.last_epoch == 2
    if resumed.get_last_lr() != straight.get_last_lr():
        late.append(
            f"{scheduler.__name__} has {resumed.get_last_lr()}, not {straight.get_last_lr()}"
        )
assert not late, f"resumed with last_epoch=1, at epoch 2 {'; '.join(late)}"
