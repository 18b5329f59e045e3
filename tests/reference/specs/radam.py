"""RAdam: a branch that a host number decides, another one for parameters at other steps."""

from __future__ import annotations

from instep.spec.author import (
    algorithm,
    counter,
    grad,
    hyper,
    let,
    local,
    otherwise,
    prev,
    sqrt,
    state,
    theta,
    when,
)

with algorithm("radam", "RAdam: rectified Adam") as spec:
    lr, eps = hyper("lr", 1e-3), hyper("eps", 1e-8)
    beta1, beta2 = hyper("betas", (0.9, 0.999), names=("beta1", "beta2"), domain="[0,1)")
    t, m, v = counter(), state("m", "exp_avg"), state("v", "exp_avg_sq")
    g, m_hat, rho_inf, rho, r = (local(x) for x in ("g", "m_hat", "rho_inf", "rho", "r"))

    let("gradient", g, grad(theta))
    let("first_moment", m, beta1 * prev(m) + (1 - beta1) * g)
    let("second_moment", v, beta2 * prev(v) + (1 - beta2) * g**2)
    let("first_correction", m_hat, m / (1 - beta1**t))
    let("longest_average", rho_inf, 2 / (1 - beta2) - 1)
    let("average", rho, rho_inf - 2 * t * beta2**t / (1 - beta2**t))
    with when(rho > 5):
        let(
            "rectification",
            r,
            sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)),
        )
        let("update", theta, theta - lr * m_hat * r * sqrt(1 - beta2**t) / (sqrt(v) + eps))
    with otherwise():
        let("update", theta, theta - lr * m_hat, form="unrectified")
