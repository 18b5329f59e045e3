"""StepLR: the rate falls by a factor every n epochs."""

from __future__ import annotations

from instep.spec.scheduling import *

with schedule("step-lr", "StepLR: the rate falls by a factor every few epochs") as spec:
    n = hyper("step_size", 30, name="n", domain="Z[1,inf)", probe=3, required=True,
              description="epochs from one decay to the next")
    factor = hyper("gamma", 0.1, name="factor", latex="a", probe=0.25,
                   description="factor of a decay")

    with when(holds(t > 0) & equal(t % n, 0)):
        let("rate", lr, factor * prev(lr), form="decay")
    with otherwise():
        let("rate", lr, prev(lr), form="keep")

    with closed_form():
        let("closed_form", lr, base_lr * factor ** floor(t / n))

    dialect("step-lr/torch", "torch.optim.lr_scheduler.StepLR", export="StepLR")
