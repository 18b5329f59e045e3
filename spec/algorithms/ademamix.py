"""AdEMAMix: Adam with a second, slower average of gradients."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("ademamix", "AdEMAMix: a mixture of two averages of gradients") as spec:
    lr = hyper("lr", 1e-3, domain="[0,inf)", latex=r"\eta", probe=1 / 16,
               aliases=("learning_rate", "step_size"), description="learning rate")
    beta1, beta2, beta3 = hyper(
        "betas", (0.9, 0.999, 0.9999), names=("beta1", "beta2", "beta3"), domain="(0,1)",
        latex=(r"\beta_1", r"\beta_2", r"\beta_3"), probe=(7 / 8, 63 / 64, 127 / 128),
        aliases=(("beta1", "beta_1", "b1"), ("beta2", "beta_2", "b2"), ("beta3", "b3")),
        description="decay rates of the fast average, the second moment and the slow average")
    alpha = hyper("alpha", 2.0, domain="[0,inf)", latex=r"\alpha", probe=4.0,
                  description="weight of the slow average")
    warmup = hyper("t_alpha_beta3", 1000.0, name="warmup", domain="(0,inf)", latex="T", probe=8.0,
                   aliases=("warmup", "T_alpha_beta3"),
                   description="steps until alpha and beta3 have their full values")
    eps = hyper("eps", 1e-8, domain="[0,inf)", latex=r"\epsilon", probe=2**-20,
                aliases=("epsilon",), description="term that keeps the denominator away from zero")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay", "weight_decay_rate"), description="weight decay")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    scheduled = option("scheduled", description="whether alpha and beta3 warm up")
    decay = option("decay", "decoupled", "l2", "unscaled", description="how weight decays")
    t = counter()
    m1 = state("m1", "exp_avg_fast", latex="m_1", aliases=("exp_avg", "m", "m1"),
               description="fast average")
    m2 = state("m2", "exp_avg_slow", latex="m_2", aliases=("m2",), description="slow average")
    v = state("v", "exp_avg_sq", latex=r"\nu", aliases=("nu", "v"), description="second moment")
    g, share = local("g"), local("share", r"\alpha_{@}")
    b3, pace = local("b3", r"\tilde\beta_3"), local("pace", "r")
    m_hat, v_hat = local("m_hat", r"\hat m_1"), local("v_hat", r"\hat\nu")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    with when(decay == "l2"):
        let("l2", g, g + wd * theta)
    with otherwise():
        let("decay", theta, choose(
            decay, decoupled=theta - lr * wd * theta, otherwise=theta - wd * theta))
    with when(scheduled):
        let("share", share, minimum(t * alpha / warmup, alpha), form="scheduled")
        let("pace", pace, (1 - t / warmup) * log(beta3) + t / warmup * log(beta1))
        let("slow_rate", b3, exp(log(beta1) * log(beta3) / pace), form="scheduled")
        let("slow_rate", b3, minimum(b3, beta3), form="limited")
    with otherwise():
        let("share", share, alpha)
        let("slow_rate", b3, beta3)
    let("fast_average", m1, beta1 * prev(m1) + (1 - beta1) * g)
    let("slow_average", m2, b3 * prev(m2) + (1 - b3) * g)
    let("second_moment", v, beta2 * prev(v) + (1 - beta2) * g**2)
    let("first_correction", m_hat, m1 / (1 - beta1**t))
    let("second_correction", v_hat, v / (1 - beta2**t))
    let("update", theta, theta - lr * (m_hat + share * m2) / (sqrt(v_hat) + eps))

    exclude(warmup, ~(scheduled == True), "nothing warms up")  # noqa: E712  # an option, no bool

    reference("Pagliardini, Ablin and Grangier, The AdEMAMix optimizer: better, faster, older, "
              "ICLR 2025, algorithm 1", "arXiv:2409.03137")

    dialect("ademamix/constant", "the authors' release without warmup", export="AdEMAMix",
            note="alpha and beta3 have their full values from the first step on.")
    dialect("ademamix/paper", "arXiv:2409.03137, algorithm 1", scheduled=True,
            note="alpha grows linearly, and beta3 so that its half-life does.")
    dialect("ademamix/l2", "weight decay added to the gradient", decay="l2",
            note="The penalty goes into both averages and the second moment.")
    dialect("ademamix/decay-unscaled", "pytorch_optimizer.AdEMAMix(fixed_decay=True)",
            decay="unscaled", note="The learning rate does not scale the decay.")
