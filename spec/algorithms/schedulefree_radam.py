"""Schedule-free RAdam: the rectified step takes the place of warm-up."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("schedulefree-radam", "Schedule-free RAdam") as spec:
    lr = hyper("lr", 2.5e-3, domain="[0,inf)", latex=r"\gamma", probe=1 / 16,
               aliases=("learning_rate", "step_size"), description="learning rate")
    beta1, beta2 = hyper(
        "betas", (0.9, 0.999), names=("beta1", "beta2"), domain=("(0,1)", "[0,1)"),
        latex=(r"\beta_1", r"\beta_2"), probe=(7 / 8, 15 / 16),
        aliases=(("beta1", "beta_1", "b1"), ("beta2", "beta_2", "b2")),
        description="how near to the average the gradient is taken; decay rate of the moment")
    eps = hyper("eps", 1e-8, domain="[0,inf)", latex=r"\epsilon", probe=2**-20,
                aliases=("epsilon",), description="term that keeps the denominator away from zero")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay"), description="weight decay, of the training point")
    r = hyper("r", 0.0, domain="[0,inf)", latex="r", probe=2, aliases=("poly_power",),
              description="power of the step number in the weight of an iterate")
    power = hyper("weight_lr_power", 2.0, name="power", domain="[0,inf)", latex="p", probe=2,
                  description="power of the largest learning rate in the weight of an iterate")
    start = option("start", "wait", "descend", argument="silent_sgd_phase",
                   spelling={True: "wait", False: "descend"},
                   description="before rectification: no step, or one of SGD")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    signature("lr", "betas", "eps", "weight_decay", "r", "weight_lr_power", "foreach",
              "silent_sgd_phase", "*", "maximize")

    t = counter()
    z = state("z", "z", init=theta, description="the base sequence, which takes the steps")
    v = state("v", "exp_avg_sq", aliases=("nu", "v", "second_moment"), description="second moment")
    top = state("top", "lr_max", shape="scalar", latex=r"\gamma_{\max}",
                description="largest learning rate so far")
    s = state("s", "weight_sum", shape="scalar", description="sum of the weights")
    g, rate, d = local("g"), local("lr_t", r"\gamma_t"), local("d")
    v_hat, u = local("v_hat", r"\hat v"), local("u")
    rho_inf, rho = local("rho_inf", r"\rho_\infty"), local("rho", r"\rho")
    w, c = local("w"), local("c")
    view("eval", theta + (1 - 1 / beta1) * (z - theta), inverse=theta + (1 - beta1) * (z - theta),
         description="the average, which is to be evaluated")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    let("second_moment", v, beta2 * prev(v) + (1 - beta2) * g**2)
    let("longest_average", rho_inf, 2 / (1 - beta2) - 1)
    let("average_length", rho, rho_inf - 2 * t * beta2**t / (1 - beta2**t))
    with when(rho > 4):
        let("rate", rate, lr * sqrt(
            (rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)))
        let("second_correction", v_hat, v / (1 - beta2**t))
        let("denominator", d, sqrt(v_hat) + eps)
        let("direction", u, g / d)
    with otherwise():
        let("rate", rate, choose(start, wait=0, descend=lr), form="unrectified")
        let("direction", u, g, form="unrectified")
    with when(~equal(wd, 0)):
        let("decay", u, u + wd * theta)

    # Every iterate of the base sequence counts by how large a step it took.
    let("largest_rate", top, maximum(prev(top), rate))
    let("weight", w, t**r * top**power)
    let("sum_of_weights", s, prev(s) + w)
    with when(s > 0):
        let("share", c, w / s)
    with otherwise():
        let("share", c, 0, form="none")
    let("update", theta, theta + c * (prev(z) - theta) + rate * (beta1 * (1 - c) - 1) * u)
    let("base", z, prev(z) - rate * u)

    reference("Defazio, Yang, Mehta, Mishchenko, Khaled and Cutkosky, The road less scheduled, "
              "NeurIPS 2024", "arXiv:2405.15682")
    reference("Liu et al., On the variance of the adaptive learning rate and beyond, "
              "ICLR 2020, algorithm 2", "arXiv:1908.03265")

    dialect("schedulefree-radam/authors", "schedulefree.RAdamScheduleFree",
            export="RAdamScheduleFree",
            note="Nothing moves until the second moment can be trusted, and nothing has weight.")
    dialect("schedulefree-radam/sgd", "schedulefree.RAdamScheduleFree(silent_sgd_phase=False)",
            start="descend", note="Until then steps of SGD are taken, and count.")
