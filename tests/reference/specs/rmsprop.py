"""RMSprop: an option that adds a state, a branch on a hyperparameter."""

from __future__ import annotations

from instep.spec.author import (
    algorithm,
    choose,
    counter,
    grad,
    hyper,
    let,
    local,
    option,
    otherwise,
    prev,
    sqrt,
    state,
    theta,
    when,
)

with algorithm("rmsprop", "RMSprop") as spec:
    lr, alpha = hyper("lr", 1e-2), hyper("alpha", 0.99, domain="[0,1]")
    eps, mu = hyper("eps", 1e-8, domain="[0,inf)"), hyper("momentum", 0.0)
    centered = option("centered", argument=True)
    t, v, b = counter(), state("v", "square_avg"), state("b", "momentum_buffer")
    g_avg = state("g_avg", "grad_avg", when=centered)
    g, d = local("g"), local("d")

    let("gradient", g, grad(theta))
    let("square_average", v, alpha * prev(v) + (1 - alpha) * g**2)
    with when(centered):
        let("gradient_average", g_avg, alpha * prev(g_avg) + (1 - alpha) * g)
    let("denominator", d, choose(centered, yes=sqrt(v - g_avg**2) + eps, no=sqrt(v) + eps))
    with when(mu > 0):
        let("buffer", b, mu * prev(b) + g / d)
        let("update", theta, theta - lr * b)
    with otherwise():
        let("update", theta, theta - lr * (g / d), form="plain")
