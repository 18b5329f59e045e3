"""ConstantLR: a smaller rate for the first epochs."""

from __future__ import annotations

from instep.spec.scheduling import *

with schedule("constant-lr", "ConstantLR: a smaller rate for the first epochs") as spec:
    factor = hyper("factor", 1 / 3, latex="a", domain="(0,1]", probe=0.25,
                   description="factor of the first epochs")
    n = hyper("total_iters", 5, name="n", domain="Z[1,inf)", probe=4,
              description="epoch from which the rate is the full one")

    with when(equal(t, 0)):
        let("rate", lr, factor * prev(lr), form="start")
    with otherwise():
        with when(equal(t, n)):
            let("rate", lr, prev(lr) / factor, form="restore")
        with otherwise():
            let("rate", lr, prev(lr), form="keep")

    with closed_form():
        let("closed_form", lr, base_lr * where(t < n, factor, 1))

    dialect("constant-lr/torch", "torch.optim.lr_scheduler.ConstantLR", export="ConstantLR")
