"""torch.optim.swa_utils.SWALR(last_epoch=k) anneals from the beginning, and so does step(epoch).

Package: torch 2.13.0.
Found by: swa-lr/construction/last-epoch, swa-lr/forms/epoch.
Requirement: constructed with last_epoch=k on the rates of epoch k, a scheduler goes on with those
of epoch k + 1.
Observed: it counts its own steps and looks at no epoch: after half of the annealing, resumed, it
takes all of it once more.
"""

import torch
from torch.optim.swa_utils import SWALR

EPOCHS = 8


def optimizer() -> torch.optim.Optimizer:
    """One parameter, at a rate of 1."""
    return torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)


def to(epoch: int, opt: torch.optim.Optimizer, scheduler: SWALR) -> float:
    """The rate at an epoch."""
    while scheduler.last_epoch < epoch:
        opt.step()
        scheduler.step()
    (group,) = opt.param_groups
    return float(group["lr"])


opt = optimizer()
scheduler = SWALR(opt, swa_lr=0.0, anneal_epochs=EPOCHS, anneal_strategy="linear")
to(EPOCHS // 2, opt, scheduler)
again = optimizer()
again.load_state_dict(opt.state_dict())
resumed = SWALR(
    again, swa_lr=0.0, anneal_epochs=EPOCHS, anneal_strategy="linear", last_epoch=EPOCHS // 2
)
straight, found = to(EPOCHS, opt, scheduler), to(EPOCHS, again, resumed)
assert found == straight, f"at epoch {EPOCHS} the rate is {straight}, and resumed it is {found}"
