"""Gradient centralization: every unit's gradient without its mean."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("centralize", "Gradient centralization") as spec:
    base = inner("base")
    g = local("centralized", r"\hat g")

    with when(ndim(theta) > 1):
        let("centralized", g, grad(theta) - unit_mean(grad(theta)))
    with otherwise():
        let("centralized", g, grad(theta), form="vector")
    apply(base, gradient=g)

    reference("Yong, Huang, Hua and Zhang, Gradient centralization: a new optimization technique "
              "for deep neural networks, ECCV 2020, equation 1", "arXiv:2004.01461")

    dialect("centralize/paper", "arXiv:2004.01461, equation 1", export="Centralize",
            note="A unit is a row of weights or a filter; vectors are left as they are.")
