"""Lookahead around any optimizer; Ranger is Lookahead around RAdam."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("lookahead", "Lookahead: k steps forward, 1 step back") as spec:
    k = hyper("k", 5, domain="Z[1,inf)", latex="k", probe=3, aliases=("sync_period", "la_steps"),
              description="steps between two synchronisations")
    alpha = hyper("alpha", 0.5, domain="[0,1]", latex=r"\alpha", probe=5 / 8,
                  aliases=("slow_step_size", "la_alpha"),
                  description="how far the slow weights follow the fast ones")
    count = option("count", "parameter", "calls",
                   description="what is counted: a parameter's own steps, or calls of step()")
    fast = inner("fast")
    t = counter()
    calls = state("calls", "calls", scope="optimizer", shape="scalar", when=count == "calls",
                  description="calls of step()")
    slow = state("slow", "slow_buffer", init=theta, latex=r"\phi",
                 aliases=("slow_params", "slow_param", "cached_params", "slow"),
                 description="slow weights")

    def synchronise() -> None:
        """Slow weights follow; fast ones start again from there."""
        let("slow_weights", slow, prev(slow) + alpha * (theta - prev(slow)))
        let("synchronise", theta, slow)

    with when(count == "calls"):
        let("calls", calls, prev(calls) + 1)
    apply(fast)
    with when(count == "calls"):
        with when(equal(calls % k, 0)):
            synchronise()
    with otherwise():
        with when(equal(t % k, 0)):
            synchronise()

    view("eval", slow, description="the slow weights, which are to be evaluated")

    reference("Zhang, Lucas, Hinton and Ba, Lookahead optimizer: k steps forward, 1 step back, "
              "NeurIPS 2019, algorithm 1", "arXiv:1907.08610")

    dialect("lookahead/paper", "arXiv:1907.08610, algorithm 1", export="Lookahead",
            note="Slow weights start at the first parameters; each parameter counts its steps.")
    dialect("lookahead/calls", "wrappers that count calls of step()", count="calls",
            note="A parameter that had no gradient for a while keeps the common rhythm.")
