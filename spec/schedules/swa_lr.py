"""SWALR: from whatever rate there is to one at which weights are averaged, and no further."""

from __future__ import annotations

from instep.spec.scheduling import *

with schedule("swa-lr", "SWALR: to the rate of an average of weights, and no further") as spec:
    target = hyper("swa_lr", 0.05, name="target", latex="s", domain="[0,inf)", probe=0.0625,
                   required=True, description="rate while weights are averaged")
    n = hyper("anneal_epochs", 10, name="n", domain="Z[0,inf)", probe=4,
              description="epochs from the first rate to that rate")
    anneal = option("anneal_strategy", "cos", "linear", argument=True,
                    description="along half a cosine or a line")
    share, before = local("share", "q"), local("before", "p")
    start = local("start", "u")

    with when(t < n):
        with when(anneal == "cos"):
            let("share", share, (1 - cos(pi * t / n)) / 2, form="cos")
            let("share_before", before, (1 - cos(pi * (t - 1) / n)) / 2, form="cos")
        with otherwise():
            let("share", share, t / n, form="linear")
            let("share_before", before, (t - 1) / n, form="linear")
        with when(equal(t, 0)):
            let("rate", lr, prev(lr), form="start")
        with otherwise():
            # What the rate would be without any annealing, from the rate that there is.
            let("start", start, (prev(lr) - before * target) / (1 - before))
            let("rate", lr, target * share + start * (1 - share), form="anneal")
    with otherwise():
        let("rate", lr, target, form="end")

    with closed_form():
        with when(t < n):
            with when(anneal == "cos"):
                let("share", share, (1 - cos(pi * t / n)) / 2, form="cos")
            with otherwise():
                let("share", share, t / n, form="linear")
            let("closed_form", lr, target * share + base_lr * (1 - share), form="anneal")
        with otherwise():
            let("closed_form", lr, target, form="end")

    reference("Izmailov et al., Averaging weights leads to wider optima and better generalization, "
              "UAI 2018", "arXiv:1803.05407")
    dialect("swa-lr/torch", "torch.optim.swa_utils.SWALR", export="SWALR")
