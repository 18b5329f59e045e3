"""LaProp: momentum of gradients that were normalized one by one."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("laprop", "LaProp: momentum decoupled from adaptivity") as spec:
    lr = hyper("lr", 4e-4, domain="(0,inf)", latex=r"\lambda", probe=1 / 16,
               aliases=("learning_rate", "alpha", "step_size"), description="learning rate")
    mu, nu = hyper(
        "betas", (0.9, 0.999), names=("mu", "nu"), domain="[0,1)", latex=(r"\mu", r"\nu"),
        probe=(7 / 8, 63 / 64), aliases=(("beta1", "beta_1", "b1"), ("beta2", "beta_2", "b2")),
        description="decay rates of the momentum and of the second moment")
    eps = hyper("eps", 1e-15, domain="[0,inf)", latex=r"\epsilon", probe=2**-20,
                aliases=("epsilon",), description="term that keeps the denominator away from zero")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"w", probe=1 / 8,
               aliases=("wd", "decay", "weight_decay_rate"), description="weight decay")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    rate = option("rate", "outside", "inside", description="whether lr is part of the momentum")
    decay = option("decay", "after", "unscaled", description="how weight decays")
    t = counter()
    m = state("m", "exp_avg", aliases=("m", "momentum", "mu"), description="momentum")
    n = state("n", "exp_avg_sq", aliases=("n", "v", "nu"), description="second moment")
    scale = state("scale", "exp_avg_lr_1", shape="scalar", when=rate == "inside",
                  latex=r"\bar\lambda", description="average of the learning rates")
    g, d = local("g"), local("d")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    let("second_moment", n, nu * prev(n) + (1 - nu) * g**2)
    let("denominator", d, sqrt(n / (1 - nu**t)) + eps)
    with when(rate == "outside"):
        let("momentum", m, mu * prev(m) + (1 - mu) * g / d)
        let("update", theta, theta - lr * m / (1 - mu**t))
    with otherwise():
        let("average_rate", scale, mu * prev(scale) + (1 - mu) * lr)
        let("momentum", m, mu * prev(m) + (1 - mu) * lr * g / d, form="inside")
        let("update", theta, theta - lr / scale * m, form="inside")
    let("decay", theta, choose(
        decay, after=theta - lr * wd * theta, unscaled=theta - wd * theta))

    reference("Ziyin, Wang and Ueda, LaProp: separating momentum and adaptivity in Adam, 2020, "
              "algorithm 1", "arXiv:2002.04839")

    dialect("laprop/paper", "arXiv:2002.04839, algorithm 1", export="LaProp",
            note="The learning rate stands outside the momentum.")
    dialect("laprop/reference", "the listing that the authors released",
            rate="inside", decay="unscaled",
            note="The learning rate is part of the momentum, which is corrected by its average: "
                 "another trajectory once it changes. Decay is not scaled by it.")
