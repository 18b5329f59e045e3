"""torch.optim.lr_scheduler.SequentialLR raises where a nested scheduler takes over.

Package: torch 2.13.0.
Found by: reading SequentialLR for a specification of it.
Requirement: any scheduler may follow another; a chained or sequential one is a scheduler.
Observed: NotImplementedError in the step to the milestone for ChainedScheduler and SequentialLR,
    which have no get_lr; as first of the sequence they work.
"""

import torch
from torch.optim.lr_scheduler import ChainedScheduler, ConstantLR, LRScheduler, SequentialLR


def nested(kind: str) -> None:
    """A constant rate for two epochs, then a scheduler made of others."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    first = ConstantLR(optimizer)
    parts: list[LRScheduler] = [ConstantLR(optimizer), ConstantLR(optimizer)]
    chained = kind == "chained"
    inner = ChainedScheduler(parts) if chained else SequentialLR(optimizer, parts, [1])
    scheduler = SequentialLR(optimizer, [first, inner], milestones=[2])
    for _ in range(2):
        optimizer.step()
        scheduler.step()


failed = []
for kind in ("chained", "sequential"):
    try:
        nested(kind)
    except NotImplementedError as error:
        failed.append(f"{kind}: {error!r}")
assert not failed, f"the step to the milestone raised; {', '.join(failed)}"
