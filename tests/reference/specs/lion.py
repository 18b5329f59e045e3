"""Lion: the previous state is read after an equation that could overwrite it, and no counter."""

from __future__ import annotations

from instep.spec.author import algorithm, grad, hyper, let, local, prev, sign, state, theta

with algorithm("lion", "Lion: evolved sign momentum") as spec:
    lr, wd = hyper("lr", 1e-4), hyper("weight_decay", 0.0)
    beta1, beta2 = hyper("betas", (0.9, 0.99), names=("beta1", "beta2"), domain="[0,1)")
    m, g, c = state("m", "exp_avg"), local("g"), local("c")

    let("gradient", g, grad(theta))
    let("first_moment", m, beta2 * prev(m) + (1 - beta2) * g)
    let("vote", c, sign(beta1 * prev(m) + (1 - beta1) * g))
    let("decay", theta, theta - lr * wd * theta)
    let("update", theta, theta - lr * c)
