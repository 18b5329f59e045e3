"""Rprop: choices lane by lane between numbers, limits, a state that starts at a hyperparameter."""

from __future__ import annotations

from instep.spec.author import (
    algorithm,
    grad,
    hyper,
    let,
    local,
    maximum,
    minimum,
    prev,
    sign,
    state,
    theta,
    where,
)

with algorithm("rprop", "Resilient backpropagation") as spec:
    lr = hyper("lr", 1e-2)
    shrink, grow = hyper("etas", (0.5, 1.2), names=("shrink", "grow"))
    smallest, largest = hyper("step_sizes", (1e-6, 50.0), names=("smallest", "largest"))
    p_last, z = state("g_last", "prev"), state("z", "step_size", init=lr)
    g, s, f = local("g"), local("s"), local("f")

    let("gradient", g, grad(theta))
    let("agreement", s, sign(g * prev(p_last)))
    let("factor", f, where(s > 0, grow, where(s < 0, shrink, 1)))
    let("step_size", z, minimum(maximum(prev(z) * f, smallest), largest))
    let("last_gradient", p_last, where(s < 0, 0 * g, g))
    let("update", theta, theta - sign(p_last) * z)
