"""Warmup, a plateau, and a decay: the schedule of runs whose length is decided late."""

from __future__ import annotations

from instep.spec.scheduling import *

with schedule("warmup-stable-decay", "WSD: warmup, a plateau, a decay") as spec:
    w = hyper("num_warmup_steps", 100, name="w", domain="Z[0,inf)", probe=3, required=True,
              description="steps in which the rate rises from zero")
    s = hyper("num_stable_steps", 800, name="s", domain="Z[0,inf)", probe=4, required=True,
              description="steps at the full rate")
    d = hyper("num_decay_steps", 100, name="d", domain="Z[1,inf)", probe=4, required=True,
              description="steps in which the rate falls")
    least = hyper("min_lr_ratio", 0.0, name="least", latex="r", domain="[0,1]", probe=0.125,
                  description="factor after the decay")
    turns = hyper("num_cycles", 0.5, name="turns", latex="c", domain="(-inf,inf)", probe=0.5,
                  description="turns of the cosine")
    kind = option("cooldown_type", "root", "square", "linear", "cosine", argument=True,
                  spelling={"1-sqrt": "root", "1-square": "square", "linear": "linear",
                            "cosine": "cosine"}, description="how the rate falls")
    factor, x = local("factor", "a"), local("x")

    exclude(turns, ~(kind == "cosine"), "only a cosine turns")

    let("progress", x, (t - w - s) / d)
    with when(t < w):
        let("factor", factor, t / w, form="warmup")
    with otherwise():
        with when(t < w + s):
            let("factor", factor, 1, form="stable")
        with otherwise():
            with when(t < w + s + d):
                with when(kind == "root"):
                    let("factor", factor, 1 - sqrt(x), form="root")
                with when(kind == "square"):
                    let("factor", factor, 1 - x ** 2, form="square")
                with when(kind == "linear"):
                    let("factor", factor, 1 - x, form="linear")
                with when(kind == "cosine"):
                    let("factor", factor, (1 - least)
                        * maximum(0, (1 + cos(2 * pi * turns * x)) / 2) + least, form="cosine")
            with otherwise():
                let("factor", factor, least, form="end")
    let("rate", lr, base_lr * factor)

    reference("Hu et al., MiniCPM: unveiling the potential of small language models, 2024",
              "arXiv:2404.06395")
    dialect("warmup-stable-decay/pytorch-optimizer", "pytorch_optimizer.get_wsd_schedule",
            note="The other forms of the decay end at zero, and the factor jumps to min_lr_ratio.")
