"""Adafactor: a branch on the shape, states of one entry per row and column, reductions."""

from __future__ import annotations

from instep.spec.author import (
    algorithm,
    col_mean,
    counter,
    grad,
    hyper,
    let,
    local,
    maximum,
    minimum,
    ndim,
    otherwise,
    prev,
    rms,
    row_mean,
    sqrt,
    state,
    theta,
    when,
)

with algorithm("adafactor", "Adafactor") as spec:
    lr, tau, clip = (
        hyper("lr", 1e-2),
        hyper("beta2_decay", -0.8, name="tau"),
        hyper("d", 1.0, name="clip"),
    )
    eps1, eps2 = hyper("eps", (2.0**-52, 1e-3), names=("eps1", "eps2"))
    t = counter()
    R, C = state("R", "row_var", shape="rows"), state("C", "col_var", shape="cols")
    V = state("V", "variance")
    g, o, rho, a, v_hat, u, s = (local(x) for x in ("g", "o", "rho", "a", "v_hat", "u", "s"))

    let("gradient", g, grad(theta))
    let("rate", o, t**tau)
    let("relative_step", rho, minimum(lr, 1 / sqrt(t)))
    let("scale", a, maximum(eps2, rms(theta)) * rho)
    with when(ndim(theta) > 1):
        let("rows", R, (1 - o) * prev(R) + o * row_mean(g**2))
        let("columns", C, (1 - o) * prev(C) + o * col_mean(g**2))
        let("second_moment", v_hat, R * C / maximum(col_mean(R), eps1))
    with otherwise():
        let("vector", V, (1 - o) * prev(V) + o * g**2)
        let("second_moment", v_hat, V, form="vector")
    let("direction", u, g / sqrt(maximum(v_hat, eps1**2)))
    let("clipping", s, maximum(1, rms(u) / clip))
    let("update", theta, theta - a / s * u)
