"""Sharpness-aware minimization: the gradient at the worst point nearby, for any optimizer."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("sam", "SAM: sharpness-aware minimization") as spec:
    rho = hyper("rho", 0.05, domain="[0,inf)", latex=r"\rho", probe=1 / 16,
                description="distance of the point where the gradient is taken")
    eps = hyper("perturb_eps", 1e-12, name="eps", domain="[0,inf)", latex=r"\epsilon",
                probe=1 / 4, aliases=("eps",),
                description="term that keeps the norm away from zero")
    adaptive = option("adaptive", argument=True,
                      description="measure the distance in units of each parameter")
    base = inner("base")
    n, s, y = local("total_norm", "n"), local("scale", "s"), local("worst", r"\tilde\theta")

    with when(adaptive):
        let("total_norm", n, sqrt(total_over_params((theta * grad(theta)) ** 2)), form="adaptive")
    with otherwise():
        let("total_norm", n, sqrt(total_over_params(grad(theta) ** 2)))
    let("scale", s, rho / (n + eps))
    let("worst", y, choose(
        adaptive, yes=theta + theta**2 * grad(theta) * s, no=theta + grad(theta) * s))
    apply(base, gradient=grad(y))

    reference("Foret, Kleiner, Mobahi and Neyshabur, Sharpness-aware minimization for efficiently "
              "improving generalization, ICLR 2021, algorithm 1", "arXiv:2010.01412")
    reference("Kwon, Kim, Park and Choi, ASAM: adaptive sharpness-aware minimization for "
              "scale-invariant learning of deep neural networks, ICML 2021, algorithm 1",
              "arXiv:2102.11600")

    dialect("sam/paper", "arXiv:2010.01412, algorithm 1", export="SAM",
            note="The norm is that of all gradients together.")
    dialect("asam/paper", "arXiv:2102.11600, algorithm 1, without its eta", adaptive=True,
            defaults={"rho": 0.5}, export="ASAM",
            note="Distances are measured in units of each parameter.")
