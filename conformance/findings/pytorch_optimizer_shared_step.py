"""Most of pytorch_optimizer's optimizers count steps per parameter group.

Package: pytorch_optimizer 4.1.0 (AdaMax, LaProp, StableAdamW and about thirty others; not AdamW).
Found by: adamax/gradients/none, and the same check of most of its other optimizers.
Requirement: bias correction counts the steps of the parameter itself (torch.optim keeps them in the
    parameter's state), so that its first update is the same whenever it comes.
Observed: the counter is the group's. 100 steps late, the first update of AdaMax and of StableAdamW
    is a tenth of what it has to be, that of LaProp ten times as large. Layers that are unfrozen
    later and parameters without a gradient at first are concerned.
"""

import torch
from pytorch_optimizer import AdaMax, LaProp, StableAdamW

wrong = []
for optimizer_class in (AdaMax, LaProp, StableAdamW):
    first = []
    for steps in (0, 100):
        early, late = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
        optimizer = optimizer_class([early, late], lr=0.5)
        for _ in range(steps):
            early.grad = torch.ones(1)
            optimizer.step()
        early.grad, late.grad = torch.ones(1), torch.ones(1)
        optimizer.step()
        first.append(round(-late.item(), 3))
    if first[0] != first[1]:
        wrong.append(f"{optimizer_class.__name__}: {first[1]} instead of {first[0]}")
assert not wrong, f"the first update after 100 steps of another parameter: {'; '.join(wrong)}"
