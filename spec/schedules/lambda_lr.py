"""LambdaLR: the rate is the first one times a function of the epoch."""

from __future__ import annotations

from instep.spec.scheduling import *

with schedule("lambda-lr", "LambdaLR: the first rate times a function of the epoch") as spec:
    f = function_of_epoch("f", "lr_lambda", description="factor of the first rate")

    let("rate", lr, base_lr * f)

    dialect("lambda-lr/torch", "torch.optim.lr_scheduler.LambdaLR", export="LambdaLR")
