"""MultiStepLR: the rate falls by a factor at each milestone."""

from __future__ import annotations

from instep.spec.scheduling import *

with schedule("multi-step-lr", "MultiStepLR: the rate falls by a factor at each milestone") as spec:
    m = numbers("milestones", "milestones", probe=(2, 5, 5, 9), domain="Z[0,inf)",
                description="epochs at which the rate falls; one that is there twice counts twice")
    factor = hyper("gamma", 0.1, name="factor", latex="a", probe=0.25,
                   description="factor of a decay")
    hits = local("hits", "k")

    let("hits", hits, count(equal(m, t)))
    let("rate", lr, factor ** hits * prev(lr))

    with closed_form():
        let("closed_form", lr, base_lr * factor ** count(m <= t))

    dialect("multi-step-lr/torch", "torch.optim.lr_scheduler.MultiStepLR", export="MultiStepLR")
