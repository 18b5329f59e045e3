"""Schedule-free AdamW: Adam's scaling without a first moment, around an average."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("schedulefree-adamw", "Schedule-free AdamW") as spec:
    lr = hyper("lr", 2.5e-3, domain="[0,inf)", latex=r"\gamma", probe=1 / 16,
               aliases=("learning_rate", "step_size"), description="learning rate")
    beta1, beta2 = hyper(
        "betas", (0.9, 0.999), names=("beta1", "beta2"), domain=("(0,1)", "[0,1)"),
        latex=(r"\beta_1", r"\beta_2"), probe=(7 / 8, 63 / 64),
        aliases=(("beta1", "beta_1", "b1"), ("beta2", "beta_2", "b2")),
        description="how near to the average the gradient is taken; decay rate of the moment")
    eps = hyper("eps", 1e-8, domain="[0,inf)", latex=r"\epsilon", probe=2**-20,
                aliases=("epsilon",), description="term that keeps the denominator away from zero")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay"), description="weight decay")
    warmup = hyper("warmup_steps", 0, name="warmup", domain="Z[0,inf)", latex="T", probe=4,
                   aliases=("warmup",), description="steps in which the learning rate rises")
    r = hyper("r", 0.0, domain="[0,inf)", latex="r", probe=1, aliases=("poly_power",),
              description="power of the step number in the weight of an iterate")
    power = hyper("weight_lr_power", 2.0, name="power", domain="[0,inf)", latex="p", probe=2,
                  description="power of the largest learning rate in the weight of an iterate")
    factor = hyper("decoupling_c", 50.0, name="factor", domain="(0,inf)", latex="C", probe=2,
                   aliases=("C",), description="how much faster than momentum the average forgets")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    average = option("average", "inferred", "stored",
                     description="whether the average is a state, or follows from both sequences")
    decay = option("decay", "training", "base",
                   description="what decays the base sequence: the training point, or itself")
    correction = option("correction", "moment", "rate",
                        description="what is corrected for the moment's bias")
    epsilon = option("epsilon", "outside", "both",
                     description="where eps stands; with 1e-15 under the root as well")
    share = option("share", "plain", "refined",
                   description="whether the average forgets at a rate of its own")
    signature("lr", "betas", "eps", "weight_decay", "warmup_steps", "r", "weight_lr_power",
              "foreach", "*", "decoupling_c", "maximize")

    t = counter()
    z = state("z", "z", init=theta, description="the base sequence, which takes the steps")
    v = state("v", "exp_avg_sq", aliases=("nu", "v", "second_moment"), description="second moment")
    x = state("x", "x", init=theta, when=average == "stored", description="the average")
    top = state("top", "lr_max", shape="scalar", latex=r"\gamma_{\max}",
                description="largest learning rate so far")
    s = state("s", "weight_sum", shape="scalar", description="sum of the weights")
    g, rate, d = local("g"), local("lr_t", r"\gamma_t"), local("d")
    v_hat, u = local("v_hat", r"\hat v"), local("u")
    w, c = local("w"), local("c")
    view("eval", theta + (1 - 1 / beta1) * (z - theta), inverse=theta + (1 - beta1) * (z - theta),
         description="the average, which is to be evaluated")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    with when(t < warmup):
        let("rate", rate, lr * t / warmup, form="warmup")
    with otherwise():
        let("rate", rate, lr)
    let("second_moment", v, beta2 * prev(v) + (1 - beta2) * g**2)
    with when(correction == "moment"):
        let("second_correction", v_hat, v / (1 - beta2**t))
    with otherwise():
        let("second_correction", v_hat, v, form="none")
        let("corrected_rate", rate, rate * sqrt(1 - beta2**t))
    let("denominator", d, choose(
        epsilon, outside=sqrt(v_hat) + eps, both=sqrt(v_hat + 1e-15) + eps))
    let("direction", u, g / d)
    with when(~equal(wd, 0)):
        let("decay", u, choose(decay, training=u + wd * theta, base=u + wd * prev(z)))

    # Every iterate of the base sequence counts by how large a step it took.
    let("largest_rate", top, maximum(prev(top), rate))
    let("weight", w, t**r * top**power)
    let("sum_of_weights", s, prev(s) + w)
    with when(s > 0):
        let("share", c, w / s)
    with otherwise():
        let("share", c, 0, form="none")
    with when(share == "refined"):
        let("refined_share", c, minimum(1, c * (1 - beta1) * factor))

    with when(average == "inferred"):
        let("update", theta, theta + c * (prev(z) - theta) + rate * (beta1 * (1 - c) - 1) * u)
        let("base", z, prev(z) - rate * u)
    with otherwise():
        let("base", z, prev(z) - rate * u)
        let("average", x, prev(x) + c * (z - prev(x)))
        let("update", theta, (1 - beta1) * z + beta1 * x, form="stored")

    exclude(factor, share == "plain", "the average forgets as the weights say")

    reference("Defazio, Yang, Mehta, Mishchenko, Khaled and Cutkosky, The road less scheduled, "
              "NeurIPS 2024, algorithm 1", "arXiv:2405.15682")
    reference("Song, Defazio and others, Through the river: understanding the benefit of "
              "schedule-free methods for language model training, 2025", "arXiv:2507.09846")

    dialect("schedulefree-adamw/authors", "schedulefree.AdamWScheduleFree",
            export="AdamWScheduleFree",
            note="The moment is corrected; the training point decays the base sequence.")
    dialect("schedulefree-adamw/paper", "arXiv:2405.15682, algorithm 1; "
            "schedulefree.AdamWScheduleFreePaper", correction="rate",
            note="The root of the moment's correction is part of the rate, and of the weights.")
    dialect("schedulefree-adamw/stored", "schedulefree.AdamWScheduleFreeReference",
            average="stored",
            note="The average is stored, so that a change of beta1 leaves it alone.")
    dialect("schedulefree-adamw/decay-at-base",
            "schedulefree.AdamWScheduleFreeReference(decay_at_z=True)",
            average="stored", decay="base", note="The base sequence decays itself.")
    dialect("schedulefree-adamw/guarded", "pytorch_optimizer.ScheduleFreeAdamW", epsilon="both",
            note="1e-15 stands under the root as well.")
    dialect("schedulefree-adamw/refined", "pytorch_optimizer.ScheduleFreeAdamW(decoupling_c=C); "
            "arXiv:2507.09846", epsilon="both", share="refined",
            note="The average forgets (1 - beta1) C times as fast as its weights say.")
