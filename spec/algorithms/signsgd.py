"""signSGD and Signum: one step size for every lane, the sign of gradient or momentum."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("signsgd", "signSGD: the sign of the gradient, or of its momentum") as spec:
    lr = hyper("lr", 1e-3, domain="[0,inf)", latex=r"\delta", probe=1 / 16,
               aliases=("learning_rate", "alpha", "step_size"), description="learning rate")
    mu = hyper("momentum", 0.9, domain="[0,1)", latex=r"\beta", probe=7 / 8,
               aliases=("beta", "beta1", "mu", "momentum_factor"), description="momentum factor")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay", "weight_decay_rate"), description="weight decay")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    form = option("buffer", "none", "ema", "sum", description="what the momentum buffer holds")
    decay = option("decay", "decoupled", "l2", description="how weight decays")
    m = state("m", "momentum_buffer", when=~(form == "none"),
              aliases=("m", "exp_avg", "momentum", "ema"), description="momentum")
    g, d = local("g"), local("d")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    with when(decay == "l2"):
        let("l2", g, g + wd * theta)
    with otherwise():
        let("decay", theta, theta - lr * wd * theta)
    with when(form == "none"):
        let("direction", d, g, form="gradient")
    with otherwise():
        let("momentum", m, choose(
            form, ema=mu * prev(m) + (1 - mu) * g, otherwise=mu * prev(m) + g))
        let("direction", d, m, form="momentum")
    let("update", theta, theta - lr * sign(d))

    exclude(mu, form == "none", "signSGD keeps no momentum")

    reference("Bernstein et al., signSGD: compressed optimisation for non-convex problems, "
              "ICML 2018, algorithms 1 and 2", "arXiv:1802.04434")

    dialect("signsgd/paper", "arXiv:1802.04434, algorithm 1 with one worker", export="SignSGD",
            note="No momentum: the step does not depend on the size of the gradient.")
    dialect("signsgd/l2", "weight decay added to the gradient", decay="l2",
            note="The penalty takes part in the sign, so its size is lost.")
    dialect("signum/paper", "arXiv:1802.04434, algorithm 2", buffer="ema", export="Signum",
            note="The momentum is an average of gradients that starts at 0.")
    dialect("signum/sum", "a buffer as torch.optim.SGD keeps it", buffer="sum",
            note="The momentum is a sum of gradients. While its factor is constant the signs are "
                 "those of the average; once it changes they are not.")
    dialect("signum/l2", "weight decay added to the gradient", buffer="ema", decay="l2",
            note="The penalty goes into the momentum.")
