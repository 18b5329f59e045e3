"""Schedule-free SGD: gradients between a base sequence and its average, which is evaluated."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("schedulefree-sgd", "Schedule-free SGD") as spec:
    lr = hyper("lr", 1.0, domain="[0,inf)", latex=r"\gamma", probe=1 / 4,
               aliases=("learning_rate", "step_size"), description="learning rate")
    beta = hyper("momentum", 0.9, name="beta", domain="(0,1)", latex=r"\beta", probe=7 / 8,
                 aliases=("beta", "beta1", "interpolation"),
                 description="how near to the average the gradient is taken")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay", "l2"), description="L2 penalty, of the training point")
    warmup = hyper("warmup_steps", 0, name="warmup", domain="Z[0,inf)", latex="T", probe=4,
                   aliases=("warmup",), description="steps in which the learning rate rises")
    r = hyper("r", 0.0, domain="[0,inf)", latex="r", probe=1, aliases=("poly_power",),
              description="power of the step number in the weight of an iterate")
    power = hyper("weight_lr_power", 2.0, name="power", domain="[0,inf)", latex="p", probe=2,
                  description="power of the largest learning rate in the weight of an iterate")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    average = option("average", "inferred", "stored",
                     description="whether the average is a state, or follows from both sequences")
    signature("lr", "momentum", "weight_decay", "warmup_steps", "r", "weight_lr_power", "foreach",
              "*", "maximize")

    t = counter()
    z = state("z", "z", init=theta, description="the base sequence, which takes the steps")
    x = state("x", "x", init=theta, when=average == "stored", description="the average")
    top = state("top", "lr_max", shape="scalar", latex=r"\gamma_{\max}",
                description="largest learning rate so far")
    s = state("s", "weight_sum", shape="scalar", description="sum of the weights")
    g, rate = local("g"), local("lr_t", r"\gamma_t")
    w, c = local("w"), local("c")
    view("eval", theta + (1 - 1 / beta) * (z - theta), inverse=theta + (1 - beta) * (z - theta),
         description="the average, which is to be evaluated")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    with when(~equal(wd, 0)):
        let("l2", g, g + wd * theta)
    with when(t < warmup):
        let("rate", rate, lr * t / warmup, form="warmup")
    with otherwise():
        let("rate", rate, lr)

    # Every iterate of the base sequence counts by how large a step it took.
    let("largest_rate", top, maximum(prev(top), rate))
    let("weight", w, t**r * top**power)
    let("sum_of_weights", s, prev(s) + w)
    with when(s > 0):
        let("share", c, w / s)
    with otherwise():
        let("share", c, 0, form="none")

    with when(average == "inferred"):
        let("update", theta, theta + c * (prev(z) - theta) + rate * (beta * (1 - c) - 1) * g)
        let("base", z, prev(z) - rate * g)
    with otherwise():
        let("base", z, prev(z) - rate * g)
        let("average", x, prev(x) + c * (z - prev(x)))
        let("update", theta, (1 - beta) * z + beta * x, form="stored")

    reference("Defazio, Yang, Mehta, Mishchenko, Khaled and Cutkosky, The road less scheduled, "
              "NeurIPS 2024, equations 2 to 4", "arXiv:2405.15682")

    dialect("schedulefree-sgd/authors", "schedulefree.SGDScheduleFree", export="SGDScheduleFree",
            note="The average is not stored: it follows from where training and the base are.")
    dialect("schedulefree-sgd/paper", "arXiv:2405.15682, equations 2 to 4", average="stored",
            note="The average is stored, so that a change of momentum leaves it alone.")
