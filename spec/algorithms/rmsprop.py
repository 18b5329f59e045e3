"""RMSprop: gradients divided by the root of a running mean of their squares."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("rmsprop", "RMSprop") as spec:
    lr = hyper("lr", 1e-2, domain="[0,inf)", latex=r"\gamma", probe=1 / 16,
               aliases=("learning_rate", "step_size"), description="learning rate")
    alpha = hyper("alpha", 0.99, domain="[0,inf)", latex=r"\alpha", probe=7 / 8,
                  aliases=("rho", "decay", "decay_rate", "beta", "beta2", "smoothing"),
                  description="decay rate of the mean square; above 1 the mean can turn negative")
    eps = hyper("eps", 1e-8, domain="[0,inf)", latex=r"\epsilon", probe=2**-20,
                aliases=("epsilon",), description="term that keeps the denominator away from zero")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "l2"), description="L2 penalty")
    mu = hyper("momentum", 0.0, domain="[0,inf)", latex=r"\mu", probe=3 / 4,
               aliases=("mu", "momentum_factor"), description="momentum factor")
    centered = option("centered", argument=True,
                      description="divide by a running standard deviation instead")
    maximize = option("maximize", argument=True, description="ascend instead of descend")
    epsilon = option("epsilon", "outside", "inside", description="where eps stands at the root")
    rate = option("rate", "outside", "inside",
                  description="whether the momentum buffer holds the learning rate")
    first = option("first", "zero", "one", description="what the mean square starts at")
    variance = option("variance", "plain", "clamp",
                      description="what a variance below zero, left by rounding, counts as")
    signature("lr", "alpha", "eps", "weight_decay", "momentum", "centered", "capturable",
              "foreach", "maximize", "differentiable")

    t = counter()
    v = state("v", "square_avg", aliases=("nu", "v", "mean_square", "rms"),
              description="running mean square")
    b = state("b", "momentum_buffer", init=None, aliases=("velocity", "momentum", "mom", "trace"),
              description="momentum buffer")
    g_avg = state("g_avg", "grad_avg", when=centered, latex=r"\bar g",
                  aliases=("mg", "mu", "mean_grad", "average_gradient"),
                  description="running mean of the gradient")
    g, n, d, u = local("g"), local("n"), local("d"), local("u")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    with when(~equal(wd, 0)):
        let("l2", g, g + wd * theta)

    def _mean_square() -> None:
        let("mean_square", v, alpha * prev(v) + (1 - alpha) * g**2)

    with when(first == "one"):
        with when(equal(t, 1)):
            let("mean_square", v, alpha + (1 - alpha) * g**2, form="first")
        with otherwise():
            _mean_square()
    with otherwise():
        _mean_square()
    with when(centered):
        let("mean_gradient", g_avg, alpha * prev(g_avg) + (1 - alpha) * g)
        let("variance", n, choose(
            variance, plain=v - g_avg**2, clamp=maximum(v - g_avg**2, 0)), form="centered")
    with otherwise():
        let("variance", n, v)
    let("denominator", d, choose(epsilon, outside=sqrt(n) + eps, inside=sqrt(n + eps)))

    def _follow_buffer() -> None:
        let("direction", u, choose(rate, outside=g / d, inside=lr * g / d))
        with when(absent(b)):
            let("buffer", b, u, form="first")
        with otherwise():
            let("buffer", b, mu * prev(b) + u)
        let("update", theta, choose(rate, outside=theta - lr * b, inside=theta - b))

    # torch keeps no buffer while momentum is 0; those who put lr inside have it all the time.
    with when(rate == "outside"):
        with when(mu > 0):
            _follow_buffer()
        with otherwise():
            let("update", theta, theta - lr * g / d, form="plain")
    with otherwise():
        _follow_buffer()

    reference("Tieleman and Hinton, Lecture 6.5: rmsprop, Coursera, 2012",
              "https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf")
    reference("Graves, Generating sequences with recurrent neural networks, 2013, "
              "equations 38-45", "arXiv:1308.0850")

    dialect("rmsprop/torch", "torch.optim.RMSprop", export="RMSprop",
            note="eps is added to the root; the learning rate stands outside the buffer.")
    dialect("rmsprop/clamp", "torch.optim.RMSprop, its variance kept from falling below 0",
            variance="clamp", centered=True,
            note="A constant gradient has variance 0: rounding takes it below, and the root is "
                 "NaN; a clamp keeps it at 0.")
    dialect("rmsprop/graves", "arXiv:1308.0850, equations 38-45", centered=True,
            epsilon="inside", rate="inside",
            defaults={"lr": 1e-4, "alpha": 0.95, "eps": 1e-4, "momentum": 0.9},
            note="Centered, eps under the root, the learning rate inside the buffer.")
    dialect("rmsprop/keras", "keras.optimizers.RMSprop", epsilon="inside", rate="inside",
            defaults={"lr": 1e-3, "alpha": 0.9, "eps": 1e-7},
            note="eps under the root, the learning rate inside the buffer.")
    dialect("rmsprop/optax", "optax.rmsprop", epsilon="inside", rate="inside",
            defaults={"lr": 1e-3, "alpha": 0.9},
            note="As keras; only the defaults differ.")
    dialect("rmsprop/paddle", "paddle.optimizer.RMSProp", epsilon="inside", rate="inside",
            defaults={"lr": 1e-3, "alpha": 0.95, "eps": 1e-6},
            note="As keras; only the defaults differ.")
    dialect("rmsprop/tf1", "tf.compat.v1.train.RMSPropOptimizer", epsilon="inside", rate="inside",
            first="one", defaults={"lr": 1e-3, "alpha": 0.9, "eps": 1e-10},
            note="The mean square starts at 1, so the first steps are as short as the gradient.")
