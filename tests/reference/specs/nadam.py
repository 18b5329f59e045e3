"""NAdam: a state that is one number for each parameter."""

from __future__ import annotations

from instep.spec.author import algorithm, counter, grad, hyper, let, local, prev, sqrt, state, theta

with algorithm("nadam", "NAdam: Adam with Nesterov momentum") as spec:
    lr, eps, psi = hyper("lr", 2e-3), hyper("eps", 1e-8), hyper("momentum_decay", 4e-3, name="psi")
    beta1, beta2 = hyper("betas", (0.9, 0.999), names=("beta1", "beta2"), domain="[0,1)")
    t, m, v = counter(), state("m", "exp_avg"), state("v", "exp_avg_sq")
    product = state("product", "mu_product", init=1, shape="scalar")
    g, mu, mu_next, m_hat, v_hat = (local(x) for x in ("g", "mu", "mu_next", "m_hat", "v_hat"))

    let("gradient", g, grad(theta))
    let("momentum", mu, beta1 * (1 - 0.5 * 0.96 ** (t * psi)))
    let("next_momentum", mu_next, beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi)))
    let("momentum_product", product, prev(product) * mu)
    let("first_moment", m, beta1 * prev(m) + (1 - beta1) * g)
    let("second_moment", v, beta2 * prev(v) + (1 - beta2) * g**2)
    let(
        "first_correction",
        m_hat,
        mu_next * m / (1 - product * mu_next) + (1 - mu) * g / (1 - product),
    )
    let("second_correction", v_hat, v / (1 - beta2**t))
    let("update", theta, theta - lr * m_hat / (sqrt(v_hat) + eps))
