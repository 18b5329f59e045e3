"""MADGRAD: dual averaging whose steps are divided by a cube root of summed squares."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("madgrad", "MADGRAD: momentumized, adaptive, dual averaged gradient method") as spec:
    lr = hyper("lr", 1e-2, domain="[0,inf)", latex=r"\gamma", probe=1 / 16,
               aliases=("learning_rate", "alpha", "step_size"), description="learning rate")
    mu = hyper("momentum", 0.9, domain="[0,1)", latex=r"\mu", probe=7 / 8, aliases=("beta", "mu"),
               description="share of the parameter that stays; the paper's c is 1 - momentum")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\omega", probe=1 / 8,
               aliases=("wd", "decay"), description="weight decay")
    eps = hyper("eps", 1e-6, domain="[0,inf)", latex=r"\epsilon", probe=2**-8,
                aliases=("epsilon",), description="term that keeps the denominator away from zero")
    decay = option("decay", "l2", "decoupled", argument="decouple_decay",
                   spelling={False: "l2", True: "decoupled"}, description="how weight decays")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    rate = option("rate", "plain", "raised", description="the learning rate, or eps more than it")
    origin = option("origin", "kept", "recovered",
                    description="without momentum, where the run began: kept, or computed back")

    t = counter("t", key="k", scope="optimizer")
    s = state("s", "s", aliases=("grad_sum",), description="weighted sum of gradients")
    nu = state("nu", "grad_sum_sq", latex=r"\nu", description="weighted sum of their squares")
    x = state("x0", "x0", init=None, latex="x_0", description="where the run began")
    g, a, w = local("g"), local("a"), local("w", r"\lambda")
    d, start, z = local("d"), local("start", r"\bar x_0"), local("z")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    with when(decay == "l2"), when(~equal(wd, 0)):
        let("l2", g, g + wd * theta)
    with when(rate == "raised"):
        let("rate", a, where(equal(lr, 0), lr, lr + eps), form="raised")
    with otherwise():
        let("rate", a, lr)
    let("weight", w, a * sqrt(t))

    def _keep() -> None:
        with when(absent(x)):
            let("origin", x, theta)
            let("start", start, theta, form="first")
        with otherwise():
            let("start", start, prev(x))

    with when(origin == "recovered"):
        with when(equal(mu, 0)):
            let("denominator", d, prev(nu) ** (1 / 3) + eps, form="before")
            let("start", start, where(equal(d, 0), theta, theta + prev(s) / d), form="recovered")
        with otherwise():
            _keep()
    with otherwise():
        _keep()

    let("sum_of_squares", nu, prev(nu) + w * g**2)
    let("sum", s, prev(s) + w * g)
    let("denominator", d, nu ** (1 / 3) + eps)
    # Where all gradients were zero nothing moves, with eps = 0 too.
    let("dual", z, where(equal(d, 0), start, start - s / d))
    let("update", theta, choose(
        decay, l2=mu * theta + (1 - mu) * z,
        decoupled=mu * theta + (1 - mu) * z - a * wd * theta))

    reference("Defazio and Jelassi, Adaptivity without compromise: a momentumized, adaptive, dual "
              "averaged gradient method for stochastic optimization, JMLR 23, 2022, algorithm 1",
              "arXiv:2101.11075")

    dialect("madgrad/release", "madgrad.MADGRAD; pytorch_optimizer.MADGRAD", export="MADGRAD",
            rate="raised", origin="recovered",
            note="eps is added to the learning rate too; without momentum, where the run began is "
                 "not kept but computed back.")
    dialect("madgrad/paper", "arXiv:2101.11075, algorithm 1",
            note="A step goes from where the run began, along all gradients so far.")
