"""The 1cycle policy: up to a large rate, down to a tiny one; momentum the other way."""

from __future__ import annotations

from instep.spec.scheduling import *

with schedule("one-cycle-lr", "OneCycleLR: the 1cycle policy") as spec:
    high = hyper("max_lr", 0.1, name="high", latex="h", domain="(0,inf)", probe=0.5, required=True,
                 description="highest rate")
    n = hyper("total_steps", 100, name="n", domain="Z[2,inf)", probe=16, required=True,
              description="steps of the whole cycle")
    share = hyper("pct_start", 0.3, name="share", latex="q", domain="(0,1]", probe=0.25,
                  description="share of the cycle in which the rate rises")
    anneal = option("anneal_strategy", "cos", "linear", argument=True,
                    description="along half a cosine or a line")
    cycle = option("cycle_momentum", True, False, argument=True,
                   description="whether momentum goes the other way")
    calm = hyper("base_momentum", 0.85, name="calm", latex="b", domain="[0,1)", probe=0.5,
                 description="momentum at the highest rate")
    brisk = hyper("max_momentum", 0.95, name="brisk", latex="B", domain="[0,1)", probe=0.75,
                  description="momentum at the lowest rate")
    div = hyper("div_factor", 25.0, name="div", latex="d", domain="(0,inf)", probe=4.0,
                description="the highest rate by the first one")
    final_div = hyper("final_div_factor", 1e4, name="final_div", latex="D", domain="(0,inf)",
                      probe=8.0, description="the first rate by the last one")
    three = option("three_phase", False, True, argument=True,
                   description="whether the rate returns to the first one before it falls further")
    momentum = entry("momentum", "momentum", init=brisk, when=cycle, latex=r"\mu",
                     description="momentum, or the first of betas")
    low, least, top, end = local("low"), local("least"), local("top"), local("end")
    a, b, x, ma, mb = local("a"), local("z", "z"), local("x"), local("m_from"), local("m_to")

    require(holds(share * n > 1), "pct_start * total_steps must be more than 1")
    require(holds(2 * share * n < n + 1), "pct_start must leave time to fall")
    lasts(n - 1)
    exclude(calm, ~cycle, "momentum is left alone")
    exclude(brisk, ~cycle, "momentum is left alone")

    let("first_rate", low, high / div)
    let("last_rate", least, low / final_div)
    let("top", top, share * n - 1)
    with when(three):
        let("end_of_fall", end, 2 * share * n - 2)
    with when(t <= top):
        let("progress", x, t / top)
        let("rate_from", a, low)
        let("rate_to", b, high)
        with when(cycle):
            let("momentum_from", ma, brisk)
            let("momentum_to", mb, calm)
    with otherwise():
        with when(three):
            with when(t <= end):
                let("progress", x, (t - top) / (end - top))
                let("rate_from", a, high)
                let("rate_to", b, low)
                with when(cycle):
                    let("momentum_from", ma, calm)
                    let("momentum_to", mb, brisk)
            with otherwise():
                let("progress", x, (t - end) / (n - 1 - end))
                let("rate_from", a, low)
                let("rate_to", b, least)
                with when(cycle):
                    let("momentum_from", ma, brisk)
                    let("momentum_to", mb, brisk)
        with otherwise():
            let("progress", x, (t - top) / (n - 1 - top))
            let("rate_from", a, high)
            let("rate_to", b, least)
            with when(cycle):
                let("momentum_from", ma, calm)
                let("momentum_to", mb, brisk)
    let("rate", lr, choose(anneal, cos=b + (a - b) * (1 + cos(pi * x)) / 2, linear=a + (b - a) * x))
    with when(cycle):
        let("momentum", momentum, choose(anneal, cos=mb + (ma - mb) * (1 + cos(pi * x)) / 2,
                                         linear=ma + (mb - ma) * x))

    reference("Smith and Topin, Super-convergence: very fast training of neural networks using "
              "large learning rates, 2019", "arXiv:1708.07120")
    dialect("one-cycle-lr/torch", "torch.optim.lr_scheduler.OneCycleLR", export="OneCycleLR")
