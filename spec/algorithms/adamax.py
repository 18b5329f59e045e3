"""Adamax: Adam with the largest gradient, slowly forgotten, for the root mean square."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("adamax", "Adamax: Adam with the infinity norm") as spec:
    lr = hyper("lr", 2e-3, domain="[0,inf)", latex=r"\gamma", probe=1 / 16,
               aliases=("learning_rate", "alpha", "step_size"), description="learning rate")
    beta1, beta2 = hyper(
        "betas", (0.9, 0.999), names=("beta1", "beta2"), domain="[0,1)",
        latex=(r"\beta_1", r"\beta_2"), probe=(7 / 8, 63 / 64),
        aliases=(("beta1", "beta_1", "b1"), ("beta2", "beta_2", "b2")),
        description="decay rates of first moment and norm")
    eps = hyper("eps", 1e-8, domain="[0,inf)", latex=r"\epsilon", probe=2**-20,
                aliases=("epsilon",), description="term that keeps the norm away from zero")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "l2"), description="L2 penalty")
    maximize = option("maximize", argument=True, description="ascend instead of descend")
    epsilon = option("epsilon", "gradient", "norm", "outside", description="what eps is added to")
    signature("lr", "betas", "eps", "weight_decay", "foreach", "*", "maximize", "differentiable",
              "capturable")

    t = counter()
    m = state("m", "exp_avg", aliases=("mu", "m", "momentum", "first_moment"),
              description="first moment")
    u = state("u", "exp_inf", aliases=("u", "nu", "inf_norm", "norm"),
              description="infinity norm of the gradients, those of long ago scaled down")
    g, m_hat, d = local("g"), local("m_hat", r"\hat m"), local("d")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    with when(~equal(wd, 0)):
        let("l2", g, g + wd * theta)
    let("first_moment", m, beta1 * prev(m) + (1 - beta1) * g)
    let("infinity_norm", u, choose(
        epsilon, gradient=maximum(beta2 * prev(u), abs(g) + eps),
        norm=maximum(beta2 * prev(u) + eps, abs(g)), outside=maximum(beta2 * prev(u), abs(g))))
    let("first_correction", m_hat, m / (1 - beta1**t))
    let("denominator", d, choose(epsilon, outside=u + eps, otherwise=u))
    let("update", theta, theta - lr * m_hat / d)

    reference("Kingma and Ba, Adam: a method for stochastic optimization, "
              "ICLR 2015, algorithm 2", "arXiv:1412.6980")

    dialect("adamax/torch", "torch.optim.Adamax; optax.adamax", export="Adamax",
            note="eps is added to the size of the gradient. The paper has none.")
    dialect("adamax/keras", "keras.optimizers.Adamax", epsilon="outside",
            defaults={"lr": 1e-3, "eps": 1e-7},
            note="eps is added to the norm where it divides, and is not kept in it.")
    dialect("adamax/paddle", "paddle.optimizer.Adamax", epsilon="norm", defaults={"lr": 1e-3},
            note="eps is added to the decayed norm, step after step.")
