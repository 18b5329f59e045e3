"""ReduceLROnPlateau: the rate falls when a metric has not improved for some epochs."""

from __future__ import annotations

from instep.spec.scheduling import *

with schedule("reduce-lr-on-plateau", "ReduceLROnPlateau: less when a metric stalls") as spec:
    mode = option("mode", "min", "max", argument=True, description="whether less is better")
    factor = hyper("factor", 0.1, latex="a", domain="(-inf,1)", probe=0.25,
                   description="factor of a reduction")
    patience = hyper("patience", 10, latex="P", domain="Z[0,inf)", probe=2,
                     description="bad epochs that are borne before a reduction")
    threshold = hyper("threshold", 1e-4, latex=r"\tau", domain="[0,inf)", probe=0.125,
                      description="by how much a metric must be better than the best one")
    kind = option("threshold_mode", "rel", "abs", argument=True,
                  description="whether the threshold is a share of the best metric")
    cooldown = hyper("cooldown", 0, latex="C", domain="Z[0,inf)", probe=2,
                     description="epochs after a reduction in which bad ones do not count")
    least = hyper("min_lr", 0.0, name="least", latex=r"\gamma_{min}", domain="[0,inf)",
                  probe=0.0625, description="lowest rate")
    eps = hyper("eps", 1e-8, domain="[0,inf)", probe=0.09375,
                description="a reduction by no more than this is not made")
    x = metric("metrics", description="the metric of the epoch")
    best = state("best", "best", init=float("inf"), latex="m", description="best metric so far")
    bad = state("bad", "num_bad_epochs", init=0, latex="k", description="bad epochs in a row")
    rest = state("rest", "cooldown_counter", init=0, latex="c", description="epochs to rest")
    bar, better = local("bar", "q"), local("better", "y")
    due, new = local("due", "r"), local("new", "u")

    with when(equal(t, 0)):
        with when(mode == "min"):
            let("best", best, float("inf"), form="min")
        with otherwise():
            let("best", best, -float("inf"), form="max")
        let("bad_epochs", bad, 0, form="start")
        let("cooldown", rest, 0, form="start")
        let("due", due, 0, form="start")
    with otherwise():
        with when(kind == "rel"):
            with when(mode == "min"):
                let("bar", bar, prev(best) * (1 - threshold), form="min-rel")
            with otherwise():
                let("bar", bar, prev(best) * (1 + threshold), form="max-rel")
        with otherwise():
            with when(mode == "min"):
                let("bar", bar, prev(best) - threshold, form="min-abs")
            with otherwise():
                let("bar", bar, prev(best) + threshold, form="max-abs")
        with when(mode == "min"):
            let("better", better, where(x < bar, 1, 0), form="min")
        with otherwise():
            let("better", better, where(x > bar, 1, 0), form="max")
        let("best", best, where(better > 0, x, prev(best)), form="better")
        let("bad_epochs", bad, where(better > 0, 0, prev(bad) + 1), form="count")
        let("cooldown", rest, prev(rest), form="keep")
        with when(prev(rest) > 0):
            let("cooldown", rest, prev(rest) - 1, form="pass")
            let("bad_epochs", bad, 0, form="cooldown")
        let("due", due, where(bad > patience, 1, 0), form="patience")
        with when(due > 0):
            let("cooldown", rest, cooldown, form="begin")
            let("bad_epochs", bad, 0, form="reduced")
    let("reduced", new, maximum(factor * prev(lr), least))
    let("rate", lr, where((prev(lr) - new) * due > eps, new, prev(lr)))

    dialect("reduce-lr-on-plateau/torch", "torch.optim.lr_scheduler.ReduceLROnPlateau",
            export="ReduceLROnPlateau")
