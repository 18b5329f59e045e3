"""Clipping by the norm of all gradients together."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("clip-grad-norm", "Gradient clipping by global norm") as spec:
    limit = hyper("max_norm", 1.0, domain="[0,inf)", latex="c", probe=3 / 4,
                  aliases=("max_grad_norm", "clip_norm", "clip", "max_gradient_norm"),
                  description="largest norm that a gradient keeps")
    p = hyper("norm_type", 2.0, name="order", domain="(0,inf)", latex="p", probe=2,
              aliases=("order", "norm"), description="order of the norm")
    nonfinite = option("error_if_nonfinite", argument=True,
                       description="refuse gradients whose norm is infinite or NaN")
    order = option("norm", "order", "max", description="a norm of finite order, or the largest")
    margin = option("margin", "added", "none",
                    description="whether 1e-6 is added to the norm that divides")
    base = inner("base")
    total, coefficient = local("total_norm", "n"), local("coefficient", "s")
    g = local("clipped", r"\hat g")

    with when(order == "order"):
        let("total_norm", total, total_over_params(abs(grad(theta)) ** p) ** (1 / p))
    with otherwise():
        let("total_norm", total, max_over_params(abs(grad(theta))), form="max")
    let("coefficient", coefficient, choose(
        margin, added=minimum(limit / (total + 1e-6), 1), none=minimum(limit / total, 1)))
    let("clipped", g, grad(theta) * coefficient)
    apply(base, gradient=g)

    exclude(p, order == "max", "the largest entry is a norm of no finite order")
    refuse_nonfinite(total, nonfinite, "the norm of the gradients is infinite or NaN")
    returns(total)

    reference("Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural "
              "networks, ICML 2013, algorithm 1", "arXiv:1211.5063")

    dialect("clip-grad-norm/torch", "torch.nn.utils.clip_grad_norm_", export="ClipGradNorm",
            note="1e-6 is added to the norm, so that a gradient at the limit shrinks a little.")
    dialect("clip-grad-norm/max", "torch.nn.utils.clip_grad_norm_(norm_type=inf)", norm="max",
            note="The norm is the largest entry of all gradients.")
    dialect("clip-grad-norm/paper", "arXiv:1211.5063, algorithm 1; optax.clip_by_global_norm",
            margin="none", note="The limit is divided by the norm itself.")
