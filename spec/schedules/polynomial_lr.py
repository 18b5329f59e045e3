"""PolynomialLR: the rate falls to zero as a power of the epochs that are left."""

from __future__ import annotations

from instep.spec.scheduling import *

with schedule("polynomial-lr", "PolynomialLR: the rate falls to zero as a power") as spec:
    n = hyper("total_iters", 5, name="n", domain="Z[1,inf)", probe=4,
              description="epoch at which the rate is zero")
    power = hyper("power", 1.0, latex="p", domain="[0,inf)", probe=2.0,
                  description="power of the fraction of epochs that are left")

    with when(holds(t > 0) & (t <= n)):
        let("rate", lr, prev(lr) * ((1 - t / n) / (1 - (t - 1) / n)) ** power, form="decay")
    with otherwise():
        let("rate", lr, prev(lr), form="keep")

    with closed_form():
        let("closed_form", lr, base_lr * (1 - minimum(n, t) / n) ** power)

    dialect("polynomial-lr/torch", "torch.optim.lr_scheduler.PolynomialLR", export="PolynomialLR")
