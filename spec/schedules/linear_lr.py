"""LinearLR: the factor of the rate goes from one value to another along a line."""

from __future__ import annotations

from instep.spec.scheduling import *

with schedule("linear-lr", "LinearLR: the factor of the rate changes along a line") as spec:
    first = hyper("start_factor", 1 / 3, name="first", latex="a", domain="(0,1]", probe=0.25,
                  description="factor of the first epoch")
    end = hyper("end_factor", 1.0, name="end", latex="b", domain="[0,1]", probe=0.75,
                description="factor from epoch total_iters on")
    n = hyper("total_iters", 5, name="n", domain="Z[1,inf)", probe=4,
              description="epochs from the first factor to the last")

    with when(equal(t, 0)):
        let("rate", lr, first * prev(lr), form="start")
    with otherwise():
        with when(t <= n):
            let("rate", lr, prev(lr) * (1 + (end - first) / (n * first + (t - 1) * (end - first))),
                form="rise")
        with otherwise():
            let("rate", lr, prev(lr), form="keep")

    with closed_form():
        let("closed_form", lr, base_lr * (first + (end - first) * minimum(n, t) / n))

    dialect("linear-lr/torch", "torch.optim.lr_scheduler.LinearLR", export="LinearLR")
