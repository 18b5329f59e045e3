"""SGDR: half a cosine down, then up at once; each round longer than the one before."""

from __future__ import annotations

from instep.spec.scheduling import *

with schedule("cosine-annealing-warm-restarts", "Cosine annealing with warm restarts") as spec:
    n = hyper("T_0", 10, name="n", domain="Z[1,inf)", probe=2, required=True,
              description="epochs of the first round")
    growth = hyper("T_mult", 1, name="growth", latex="c", domain="Z[1,inf)", probe=2,
                   description="how many times longer each round is than the one before")
    low = hyper("eta_min", 0.0, name="low", latex=r"\eta", probe=0.0625,
                description="lowest rate")
    now = state("now", "T_cur", init=0, latex="s", description="epochs since the last restart")
    length = state("length", "T_i", init=n, latex="l", description="epochs of this round")
    rounds = local("rounds", "k")

    with when(equal(t, 0)):
        let("since_restart", now, 0)
        let("length_of_round", length, n)
    with otherwise():
        with when(prev(now) + 1 < prev(length)):
            let("since_restart", now, prev(now) + 1)
            let("length_of_round", length, prev(length))
        with otherwise():
            let("since_restart", now, 0)
            let("length_of_round", length, growth * prev(length))
    let("rate", lr, low + (base_lr - low) * (1 + cos(pi * now / length)) / 2)

    with closed_form():
        with when(equal(growth, 1)):
            let("rounds", rounds, floor(t / n))
            let("since_restart", now, t - n * rounds)
        with otherwise():
            # A restart is at a whole epoch: half an epoch later there is none to miss by rounding.
            let("rounds", rounds, floor(log((t + 0.5) * (growth - 1) / n + 1) / log(growth)))
            let("since_restart", now, t - n * (growth ** rounds - 1) / (growth - 1))
        let("length_of_round", length, n * growth ** rounds)
        let("closed_form", lr, low + (base_lr - low) * (1 + cos(pi * now / length)) / 2)

    reference("Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, "
              "ICLR 2017", "arXiv:1608.03983")
    dialect("cosine-annealing-warm-restarts/torch",
            "torch.optim.lr_scheduler.CosineAnnealingWarmRestarts",
            export="CosineAnnealingWarmRestarts")
