"""Adadelta: steps in units of their own root mean square."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("adadelta", "Adadelta: an adaptive learning rate method") as spec:
    lr = hyper("lr", 1.0, domain="[0,inf)", latex=r"\gamma", probe=1 / 2,
               aliases=("learning_rate", "step_size"), description="learning rate, 1 in the paper")
    rho = hyper("rho", 0.9, domain="[0,1]", latex=r"\rho", probe=7 / 8,
                aliases=("decay", "decay_rate", "beta", "alpha"),
                description="decay rate of both mean squares")
    eps = hyper("eps", 1e-6, domain="[0,inf)", latex=r"\epsilon", probe=2**-20,
                aliases=("epsilon",),
                description="added to both mean squares; it sets the first steps")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "l2"), description="L2 penalty")
    maximize = option("maximize", argument=True, description="ascend instead of descend")
    signature("lr", "rho", "eps", "weight_decay", "foreach", "*", "capturable", "maximize",
              "differentiable")

    t = counter()
    v = state("v", "square_avg", aliases=("accum", "nu", "v", "accumulated_grad", "square_mean"),
              description="running mean square of the gradient")
    u = state("u", "acc_delta", aliases=("accum_var", "accumulated_delta_var", "delta_avg"),
              description="running mean square of the steps")
    g, delta = local("g"), local("delta", r"\Delta")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    with when(~equal(wd, 0)):
        let("l2", g, g + wd * theta)
    let("mean_square_gradient", v, rho * prev(v) + (1 - rho) * g**2)
    let("step", delta, sqrt(prev(u) + eps) / sqrt(v + eps) * g)
    let("mean_square_step", u, rho * prev(u) + (1 - rho) * delta**2)
    let("update", theta, theta - lr * delta)

    reference("Zeiler, ADADELTA: an adaptive learning rate method, 2012, algorithm 1",
              "arXiv:1212.5701")

    dialect("adadelta/torch", "torch.optim.Adadelta", export="Adadelta",
            note="The paper's algorithm, its step times a learning rate.")
    dialect("adadelta/paper", "arXiv:1212.5701, algorithm 1", defaults={"rho": 0.95},
            note="The paper has no learning rate: 1 is what it means.")
    dialect("adadelta/keras", "keras.optimizers.Adadelta",
            defaults={"lr": 1e-3, "rho": 0.95, "eps": 1e-7},
            note="A thousandth of the paper's steps by default.")
