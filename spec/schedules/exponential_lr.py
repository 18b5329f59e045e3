"""ExponentialLR: the rate falls by a factor at every epoch."""

from __future__ import annotations

from instep.spec.scheduling import *

with schedule("exponential-lr", "ExponentialLR: the rate falls by a factor at every epoch") as spec:
    factor = hyper("gamma", 0.9, name="factor", latex="a", probe=0.75, required=True,
                   description="factor of a decay")

    with when(t > 0):
        let("rate", lr, factor * prev(lr), form="decay")
    with otherwise():
        let("rate", lr, prev(lr), form="start")

    with closed_form():
        let("closed_form", lr, base_lr * factor ** t)

    dialect("exponential-lr/torch", "torch.optim.lr_scheduler.ExponentialLR",
            export="ExponentialLR")
