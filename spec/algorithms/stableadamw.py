"""StableAdamW: AdamW whose step shrinks where the second moment lags behind the gradient."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("stableadamw", "StableAdamW: AdamW with update clipping") as spec:
    lr = hyper("lr", 1e-3, domain="[0,inf)", latex=r"\gamma", probe=1 / 16,
               aliases=("learning_rate", "alpha"), description="learning rate")
    beta1, beta2 = hyper(
        "betas", (0.9, 0.99), names=("beta1", "beta2"), domain="[0,1)",
        latex=(r"\beta_1", r"\beta_2"), probe=(7 / 8, 63 / 64),
        aliases=(("beta1", "beta_1", "b1"), ("beta2", "beta_2", "b2")),
        description="decay rates of the two moments")
    eps = hyper("eps", 1e-6, domain="[0,inf)", latex=r"\epsilon", probe=2**-10,
                aliases=("epsilon",), description="term that keeps the denominator away from zero")
    wd = hyper("weight_decay", 1e-2, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay"), description="weight decay")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    decay = option("decay", "clipped", "l2", description="how weight decays")
    t = counter()
    m = state("m", "exp_avg", aliases=("mu", "m"), description="corrected first moment")
    v = state("v", "exp_avg_sq", aliases=("nu", "v"), description="corrected second moment")
    g, size = local("g"), local("step_size", r"\eta")
    b1, b2 = local("beta1_hat", r"\hat\beta_1"), local("beta2_hat", r"\hat\beta_2")
    spread = local("spread", r"\mathrm{RMS}")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    with when(decay == "l2"):
        let("l2", g, g + wd * theta)
    let("first_rate", b1, (beta1 - beta1**t) / (1 - beta1**t))
    let("second_rate", b2, (beta2 - beta2**t) / (1 - beta2**t))
    let("first_moment", m, b1 * prev(m) + (1 - b1) * g)
    let("second_moment", v, b2 * prev(v) + (1 - b2) * g**2)
    let("spread", spread, sqrt(mean(g**2 / maximum(v, eps**2))))
    let("step_size", size, lr / maximum(1, spread))
    with when(decay == "clipped"):
        let("decay", theta, theta - size * wd * theta)
    let("update", theta, theta - size * m / (sqrt(v) + eps))

    reference("Wortsman et al., Stable and low-precision training for large-scale "
              "vision-language models, NeurIPS 2023, algorithm 2", "arXiv:2304.13013")

    dialect("stableadamw/paper", "arXiv:2304.13013, algorithm 2; optimi.StableAdamW",
            export="StableAdamW",
            note="The moments are kept corrected; what clips the step clips the decay too.")
    dialect("stableadamw/l2", "pytorch_optimizer.StableAdamW(weight_decouple=False)", decay="l2",
            note="The decay is part of the gradient.")
