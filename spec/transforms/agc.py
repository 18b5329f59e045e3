"""Adaptive gradient clipping: every unit against the norm of its own weights."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("agc", "AGC: adaptive gradient clipping") as spec:
    factor = hyper("clip_factor", 1e-2, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
                   aliases=("agc_clip_val", "clipping", "clip_val"),
                   description="largest norm of a unit's gradient, in norms of its weights")
    eps = hyper("eps", 1e-3, domain="(0,inf)", latex=r"\epsilon", probe=1 / 4,
                aliases=("agc_eps",), description="smallest norm that a unit is taken to have")
    base = inner("base")
    n, m = local("weight_norm", "w"), local("gradient_norm", "n")
    limit, g = local("limit", "c"), local("clipped", r"\hat g")

    let("weight_norm", n, maximum(unit_norm(theta), eps))
    let("gradient_norm", m, unit_norm(grad(theta)))
    let("limit", limit, factor * n)
    let("clipped", g, where(m > limit, grad(theta) * (limit / m), grad(theta)))
    apply(base, gradient=g)

    reference("Brock, De, Smith and Simonyan, High-performance large-scale image recognition "
              "without normalization, ICML 2021, equation 3", "arXiv:2102.06171")

    dialect("agc/paper", "arXiv:2102.06171, equation 3; timm, pytorch_optimizer", export="AGC",
            note="A unit is a row of weights or a filter; a vector is one unit.")
