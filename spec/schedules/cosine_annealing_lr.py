"""CosineAnnealingLR: half a cosine down, and half a cosine up again."""

from __future__ import annotations

from instep.spec.scheduling import *

with schedule("cosine-annealing-lr", "CosineAnnealingLR: half a cosine down, then up") as spec:
    n = hyper("T_max", 50, name="n", domain="Z[1,inf)", probe=4, required=True,
              description="epochs from the highest rate to the lowest")
    low = hyper("eta_min", 0.0, name="low", latex=r"\eta", probe=0.0625,
                description="lowest rate")

    with when(equal(t, 0)):
        let("rate", lr, prev(lr), form="start")
    with otherwise():
        # At the lowest rate the quotient is 0/0, so the first epoch of a rise has its own form.
        with when(equal((t - 1) % (2 * n), n)):
            let("rate", lr, prev(lr) + (base_lr - low) * (1 - cos(pi / n)) / 2, form="turn")
        with otherwise():
            let("rate", lr, (1 + cos(pi * t / n)) / (1 + cos(pi * (t - 1) / n)) * (prev(lr) - low)
                + low, form="chained")

    with closed_form():
        let("closed_form", lr, low + (base_lr - low) * (1 + cos(pi * t / n)) / 2)

    reference("Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, "
              "ICLR 2017", "arXiv:1608.03983")
    dialect("cosine-annealing-lr/torch", "torch.optim.lr_scheduler.CosineAnnealingLR",
            export="CosineAnnealingLR")
