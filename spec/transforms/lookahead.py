"""Lookahead around any optimizer; Ranger is Lookahead around RAdam."""

from __future__ import annotations

from typing import Any

from instep.spec.author import *

with algorithm("lookahead", "Lookahead: k steps forward, 1 step back") as spec:
    k = hyper("k", 5, domain="Z[1,inf)", latex="k", probe=3, aliases=("sync_period", "la_steps"),
              description="steps between two synchronisations")
    alpha = hyper("alpha", 0.5, domain="[0,1]", latex=r"\alpha", probe=5 / 8,
                  aliases=("slow_step_size", "la_alpha"),
                  description="how far the slow weights follow the fast ones")
    count = option("count", "parameter", "calls",
                   description="what is counted: a parameter's own steps, or calls of step()")
    begin = option("begin", "start", "first",
                   description="where slow weights begin: the first parameters, or one step later")
    fast = inner("fast")
    t = counter()
    calls = state("calls", "calls", scope="optimizer", shape="scalar", when=count == "calls",
                  description="calls of step()")
    slow = state("slow", "slow_buffer", init=theta, latex=r"\phi",
                 aliases=("slow_params", "slow_param", "la_param", "cached_params", "slow"),
                 description="slow weights")

    def follow() -> None:
        """Slow weights follow; fast ones start again from there."""
        let("slow_weights", slow, prev(slow) + alpha * (theta - prev(slow)))
        let("synchronise", theta, slow)

    def synchronise(n: Any) -> None:
        """After every k-th step; or after the first, which slow weights begin at, and every k."""
        with when(begin == "start"), when(equal(n % k, 0)):
            follow()
        with when(begin == "first"), when(equal((n - 1) % k, 0)):
            with when(equal(n, 1)):
                let("slow_weights", slow, theta, form="first")
            with otherwise():
                follow()

    with when(count == "calls"):
        let("calls", calls, prev(calls) + 1)
    apply(fast)
    with when(count == "calls"):
        synchronise(calls)
    with otherwise():
        synchronise(t)

    view("eval", slow, description="the slow weights, which are to be evaluated")

    reference("Zhang, Lucas, Hinton and Ba, Lookahead optimizer: k steps forward, 1 step back, "
              "NeurIPS 2019, algorithm 1", "arXiv:1907.08610")

    dialect("lookahead/paper", "arXiv:1907.08610, algorithm 1", export="Lookahead",
            note="Slow weights start at the first parameters; each parameter counts its steps.")
    dialect("lookahead/calls", "pytorch_optimizer.Lookahead, which counts calls of step()",
            count="calls",
            note="A parameter that had no gradient for a while keeps the common rhythm.")
    dialect("lookahead/first", "torch_optimizer.Lookahead; alphadl/lookahead.pytorch",
            count="calls", begin="first",
            note="Slow weights start where the first step led; then every k-th call follows.")

    ranger = {"k": 6, "beta1": 0.95, "eps": 1e-5}
    dialect("ranger/radam", "lessw2020/Ranger-Deep-Learning-Optimizer, its first version",
            inside={"fast": "radam"}, decay="decoupled", defaults=ranger, export="Ranger",
            note="Lookahead around RAdam with decoupled decay.")
    dialect("ranger/centralized", "lessw2020/Ranger-Deep-Learning-Optimizer, with use_gc=True",
            inside={"fast": "centralize(radam)"}, decay="decoupled", defaults=ranger,
            note="The gradient of every matrix loses the mean of each row, or filter, before.")
    dialect("ranger/eps-outside", "optimi.Ranger", inside={"fast": "radam"}, decay="decoupled",
            epsilon="outside", defaults={"k": 6, "beta2": 0.99, "eps": 1e-6},
            note="eps is added to the root of the corrected second moment.")
