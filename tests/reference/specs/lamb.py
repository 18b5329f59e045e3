"""LAMB: norms of one tensor, a choice by one number per tensor, a shared subexpression."""

from __future__ import annotations

from instep.spec.author import (
    algorithm,
    counter,
    grad,
    hyper,
    let,
    local,
    norm,
    prev,
    sqrt,
    state,
    theta,
    where,
)

with algorithm("lamb", "LAMB: layerwise adaptive moments") as spec:
    lr, wd, eps = hyper("lr", 1e-3), hyper("weight_decay", 0.1), hyper("eps", 1e-6)
    beta1, beta2 = hyper("betas", (0.9, 0.999), names=("beta1", "beta2"), domain="[0,1)")
    t, m, v = counter(), state("m", "exp_avg"), state("v", "exp_avg_sq")
    g, r, w_norm, r_norm, trust = (local(x) for x in ("g", "r", "w_norm", "r_norm", "trust"))

    let("gradient", g, grad(theta))
    let("first_moment", m, beta1 * prev(m) + (1 - beta1) * g)
    let("second_moment", v, beta2 * prev(v) + (1 - beta2) * g**2)
    c1, c2 = 1 - beta1**t, 1 - beta2**t
    let("direction", r, m / c1 / (sqrt(v / c2) + eps) + wd * theta)
    let("weight_norm", w_norm, norm(theta))
    let("direction_norm", r_norm, norm(r))
    let("trust_ratio", trust, where(w_norm * r_norm > 0, w_norm / r_norm, 1))
    let("update", theta, theta - lr * trust * r)
