"""Lion: the sign of an interpolation of momentum and gradient."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("lion", "Lion: evolved sign momentum") as spec:
    lr = hyper("lr", 1e-4, domain="[0,inf)", latex=r"\eta", probe=1 / 16,
               aliases=("learning_rate", "alpha", "step_size"), description="learning rate")
    beta1, beta2 = hyper(
        "betas", (0.9, 0.99), names=("beta1", "beta2"), domain="[0,1)",
        latex=(r"\beta_1", r"\beta_2"), probe=(7 / 8, 63 / 64),
        aliases=(("beta1", "beta_1", "b1"), ("beta2", "beta_2", "b2")),
        description="weight of the momentum in the vote, and its decay rate")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay", "weight_decay_rate"), description="weight decay")
    max_lr = hyper("max_lr", 1e-4, domain="(0,inf)", latex=r"\eta_{\max}", probe=1 / 8,
                   aliases=("lr_max",), description="learning rate at which decay is weight_decay")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    decay = option("decay", "decoupled", "unscaled", "relative", "l2",
                   description="how weight decays")
    m = state("m", "exp_avg", aliases=("m", "mu", "momentum", "momentum_buffer", "ema"),
              description="momentum")
    g, c = local("g"), local("c")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    with when(decay == "l2"):
        let("l2", g, g + wd * theta)
    with otherwise():
        let("decay", theta, choose(
            decay, decoupled=theta - lr * wd * theta, unscaled=theta - wd * theta,
            otherwise=theta - lr / max_lr * wd * theta))
    let("direction", c, beta1 * prev(m) + (1 - beta1) * g)
    let("momentum", m, beta2 * prev(m) + (1 - beta2) * g)
    let("update", theta, theta - lr * sign(c))

    exclude(max_lr, ~(decay == "relative"), "only relative decay knows the largest learning rate")

    reference("Chen et al., Symbolic discovery of optimization algorithms, "
              "NeurIPS 2023, algorithm 2", "arXiv:2302.06675")

    dialect("lion/paper", "arXiv:2302.06675, algorithm 2", export="Lion",
            note="Weights decay by lr times weight_decay: before the update or inside of it, "
                 "which is the same.")
    dialect("lion/decay-unscaled", "arXiv:1711.05101's decay, with eta_t alone", decay="unscaled",
            note="The learning rate does not scale the decay.")
    dialect("lion/decay-relative", "decay scaled by lr / max_lr, as optimi has it",
            decay="relative",
            note="Decay is scaled by the schedule alone, not by the size of the learning rate.")
    dialect("lion/l2", "weight decay added to the gradient", decay="l2",
            note="The penalty takes part in the vote, so its size is lost.")
