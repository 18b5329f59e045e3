"""Adan: Nesterov's momentum from differences of gradients."""

from __future__ import annotations

from typing import Any

from instep.spec.author import *

with algorithm("adan", "Adan: adaptive Nesterov momentum") as spec:
    lr = hyper("lr", 1e-3, domain="[0,inf)", latex=r"\eta", probe=1 / 16,
               aliases=("learning_rate", "alpha", "step_size"), description="learning rate")
    beta1, beta2, beta3 = hyper(
        "betas", (0.98, 0.92, 0.99), names=("beta1", "beta2", "beta3"), domain="[0,1)",
        latex=(r"\beta_1", r"\beta_2", r"\beta_3"), probe=(7 / 8, 3 / 4, 63 / 64),
        aliases=(("beta1", "beta_1", "b1"), ("beta2", "beta_2", "b2"), ("beta3", "b3")),
        description="decay rates of the averages of gradients, differences and squares")
    eps = hyper("eps", 1e-8, domain="[0,inf)", latex=r"\epsilon", probe=2**-20,
                aliases=("epsilon",), description="term that keeps the denominator away from zero")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=8,
               aliases=("wd", "decay", "weight_decay_rate"), description="weight decay")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    no_prox = option("no_prox", argument=True,
                     description="decay before the update, not by dividing its result")
    betas = option("betas_are", "kept", "renewed", "mixed",
                   description="whether a beta is the kept or the renewed share of an average")
    correction = option("correction", "bias", "start",
                        description="correct for a start at 0, or start at the first gradient")
    t = counter()
    m = state("m", "exp_avg", aliases=("m", "mu"), description="average of gradients")
    v = state("v", "exp_avg_diff", aliases=("v",), description="average of differences")
    n = state("n", "exp_avg_sq", aliases=("n", "nu"), description="average of squares")
    last = state("last", "previous_grad", init=None, latex=r"g^{-}",
                 aliases=("neg_pre_grad", "prev_grad", "g"), description="last gradient")
    g, y, difference = local("g"), local("y"), local("difference", r"\Delta")
    m_hat, v_hat, n_hat = (local(f"{x}_hat", rf"\hat {x}") for x in "mvn")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    with when(no_prox):
        let("decay", theta, theta - lr * wd * theta, form="decoupled")

    def averages(b1: Any, b2: Any, b3: Any, ahead: Any) -> None:
        """The averages with these decay rates, and the update that looks ahead."""
        let("average_difference", v, b2 * prev(v) + (1 - b2) * difference)
        let("look_ahead", y, g + ahead * difference)
        let("average", m, b1 * prev(m) + (1 - b1) * g)
        let("average_square", n, b3 * prev(n) + (1 - b3) * y**2)
        with when(correction == "start"), when(absent(last)):
            let("average", m, g, form="first")
            let("average_square", n, g**2, form="first")
        let("first_correction", m_hat, choose(correction, bias=m / (1 - b1**t), start=m))
        let("second_correction", v_hat, choose(correction, bias=v / (1 - b2**t), start=v))
        let("third_correction", n_hat, choose(correction, bias=n / (1 - b3**t), start=n))
        let("update", theta, theta - lr * (m_hat + ahead * v_hat) / (sqrt(n_hat) + eps))

    with when(absent(last)):
        let("difference", difference, 0 * g, form="first")
    with otherwise():
        let("difference", difference, g - prev(last))
    with when(betas == "kept"):
        averages(beta1, beta2, beta3, beta2)
    with when(betas == "renewed"):
        averages(1 - beta1, 1 - beta2, 1 - beta3, 1 - beta2)
    with when(betas == "mixed"):
        averages(beta1, beta2, beta3, 1 - beta2)
    let("last_gradient", last, g)
    with when(~no_prox):
        let("decay", theta, theta / (1 + lr * wd), form="prox")

    reference("Xie et al., Adan: adaptive Nesterov momentum algorithm for faster optimizing deep "
              "models, 2022, algorithm 1", "arXiv:2208.06677")

    dialect("adan/release", "the authors' release", export="Adan",
            note="Betas are what is kept of an average, 1 minus those of the paper, and all three "
                 "averages are corrected for their bias. The updated parameter is divided by "
                 "1 + lr * weight_decay.")
    dialect("adan/no-prox", "the authors' release with no_prox=True", no_prox=True,
            note="The parameter decays before the update, as in AdamW.")
    dialect("adan/paper", "arXiv:2208.06677, algorithm 1", betas_are="renewed", correction="start",
            defaults={"beta1": 0.02, "beta2": 0.08, "beta3": 0.01},
            note="Betas are what is renewed of an average; averages start at the first gradient "
                 "and its square and are not corrected.")
    dialect("adan/optax", "optax.adan", betas_are="mixed", no_prox=True,
            note="Betas are those of the release, but the difference is weighed by 1 - beta2 as "
                 "in the paper, where beta2 means the opposite: 0.08 of it instead of 0.92.")
