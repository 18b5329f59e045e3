"""Learning-rate free: sums over all parameters, state and counter of the whole optimizer."""

from __future__ import annotations

from instep.spec.author import (
    algorithm,
    counter,
    equal,
    grad,
    hyper,
    let,
    local,
    maximum,
    otherwise,
    prev,
    sqrt,
    state,
    theta,
    total_over_params,
    when,
)

with algorithm("prodigy", "Prodigy, shortened") as spec:
    lr = hyper("lr", 1.0, scope="optimizer")
    d0 = hyper("d0", 1e-6, scope="optimizer")
    beta1, beta2 = hyper("betas", (0.9, 0.999), names=("beta1", "beta2"), scope="optimizer")
    eps = hyper("eps", 1e-8)
    t = counter(key="k", scope="optimizer")
    d = state("d", "d", init=d0, scope="optimizer")
    n = state("n", "d_numerator", scope="optimizer")
    m, v, s = state("m", "exp_avg"), state("v", "exp_avg_sq"), state("s", "s")
    start = state("start", "p0", init=theta)
    g, e, rate = local("g"), local("e"), local("rate")

    let("gradient", g, grad(theta))
    let("start", start, prev(start))
    let("rate", rate, prev(d) * lr)
    let("first_moment", m, beta1 * prev(m) + prev(d) * (1 - beta1) * g)
    let("second_moment", v, beta2 * prev(v) + prev(d) ** 2 * (1 - beta2) * g**2)
    let("numerator", n, beta2 * prev(n) + rate * total_over_params(g * (start - theta)))
    let("sum", s, beta2 * prev(s) + rate * g)
    let("estimate", e, n / total_over_params(abs(s)))
    with when(equal(t, 1)):
        let("distance", d, prev(d), form="first")
    with otherwise():
        let("distance", d, maximum(prev(d), e))
    let("update", theta, theta - rate * m / (sqrt(v) + prev(d) * eps))
