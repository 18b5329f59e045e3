"""MultiplicativeLR: the rate is multiplied by a function of the epoch, at every epoch."""

from __future__ import annotations

from instep.spec.scheduling import *

with schedule("multiplicative-lr", "MultiplicativeLR: times a function, epoch by epoch") as spec:
    f = function_of_epoch("f", "lr_lambda", description="factor of the rate of the epoch before")

    with when(t > 0):
        let("rate", lr, prev(lr) * f, form="multiply")
    with otherwise():
        let("rate", lr, prev(lr), form="start")

    dialect("multiplicative-lr/torch", "torch.optim.lr_scheduler.MultiplicativeLR",
            export="MultiplicativeLR")
