"""AdaBelief: the step shrinks where gradients stray from their mean."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("adabelief", "AdaBelief: step sizes by the belief in observed gradients") as spec:
    lr = hyper("lr", 1e-3, domain="[0,inf)", latex=r"\alpha", probe=1 / 16,
               aliases=("learning_rate", "alpha", "step_size"), description="learning rate")
    beta1, beta2 = hyper(
        "betas", (0.9, 0.999), names=("beta1", "beta2"), domain="[0,1)",
        latex=(r"\beta_1", r"\beta_2"), probe=(3 / 4, 7 / 8),
        aliases=(("beta1", "beta_1", "b1"), ("beta2", "beta_2", "b2")),
        description="decay rates of the mean and of the squared deviation from it")
    eps = hyper("eps", 1e-16, domain="[0,inf)", latex=r"\epsilon", probe=2**-10,
                aliases=("epsilon",), description="term that keeps the denominator away from zero")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay", "weight_decay_rate"), description="weight decay")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    decay = option("decay", "decoupled", "l2", "unscaled", description="how weight decays")
    epsilon = option("epsilon", "accumulated", "inside", description="where eps is added first")
    belief = option("belief", "new_mean", "old_mean", description="the mean that is deviated from")
    rectify = option("rectify", description="leave the denominator out while it varies too much")
    t = counter()
    m = state("m", "exp_avg", aliases=("mu", "m", "momentum", "first_moment"), description="mean")
    s = state("s", "exp_avg_var", aliases=("nu", "s", "v", "exp_avg_sq"),
              description="squared deviation from the mean")
    g, d, r = local("g"), local("d"), local("r")
    m_hat, size = local("m_hat", r"\hat m"), local("s_hat", r"\hat s")
    rho_inf, rho = local("rho_inf", r"\rho_\infty"), local("rho", r"\rho")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    with when(decay == "l2"):
        let("l2", g, g + wd * theta)
    with otherwise():
        let("decay", theta, choose(
            decay, decoupled=theta - lr * wd * theta, otherwise=theta - wd * theta))
    let("mean", m, beta1 * prev(m) + (1 - beta1) * g)
    let("deviation", d, choose(belief, new_mean=g - m, old_mean=g - prev(m)))
    let("belief", s, choose(
        epsilon,
        accumulated=beta2 * prev(s) + (1 - beta2) * d**2 + eps,
        inside=beta2 * prev(s) + (1 - beta2) * d**2))
    let("first_correction", m_hat, m / (1 - beta1**t))
    with when(rectify):
        let("longest_average", rho_inf, 2 / (1 - beta2) - 1)
        let("average", rho, rho_inf - 2 * t * beta2**t / (1 - beta2**t))
        with when(rho >= 5):
            let("rectification", r, sqrt(
                (rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)))
            let("denominator", size, (sqrt(s) + eps) / sqrt(1 - beta2**t), form="rectified")
            let("update", theta, theta - lr * r * m_hat / size, form="rectified")
        with otherwise():
            let("update", theta, theta - lr * m_hat, form="unrectified")
    with otherwise():
        let("denominator", size, choose(
            epsilon,
            accumulated=sqrt(s / (1 - beta2**t)) + eps,
            inside=sqrt((s + eps) / (1 - beta2**t)) + eps))
        let("update", theta, theta - lr * m_hat / size)

    require(~rectify | (epsilon == "accumulated"), "the rectified form accumulates eps")

    reference("Zhuang et al., AdaBelief optimizer: adapting stepsizes by the belief in observed "
              "gradients, NeurIPS 2020, algorithm 2", "arXiv:2010.07468")
    reference("Liu et al., On the variance of the adaptive learning rate and beyond, ICLR 2020",
              "arXiv:1908.03265")

    dialect("adabelief/paper", "arXiv:2010.07468, algorithm 2", export="AdaBelief",
            note="eps is added to the squared deviation in every step and kept there, so that it "
                 "accumulates to eps / (1 - beta2); it is added once more after the root.")
    dialect("adabelief/rectified", "adabelief_pytorch.AdaBelief", rectify=True,
            note="As RAdam from rho >= 5 on; before, and not only then, the second eps is added "
                 "without bias correction.")
    dialect("adabelief/l2", "weight decay added to the gradient", decay="l2",
            note="The penalty goes into the mean and into the deviation.")
    dialect("adabelief/decay-unscaled", "adabelief_pytorch.AdaBelief(fixed_decay=True)",
            decay="unscaled", note="The learning rate does not scale the decay.")
    dialect("adabelief/eps-inside", "adabelief_pytorch before 0.1", epsilon="inside",
            defaults={"eps": 1e-8},
            note="eps is added under the root and forgotten, so that nothing accumulates.")
    dialect("adabelief/old-mean", "optax.adabelief until 2024", belief="old_mean",
            note="The deviation is taken from the mean before the step: 1 / beta1 times as large.")
