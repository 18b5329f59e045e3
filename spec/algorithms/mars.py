"""MARS: preconditioned steps along gradients whose variance the last gradient reduces."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("mars", "MARS: make variance reduction shine") as spec:
    lr = hyper("lr", 3e-3, domain="[0,inf)", latex=r"\eta", probe=1 / 16,
               aliases=("learning_rate", "alpha", "step_size"), description="learning rate")
    beta1, beta2 = hyper(
        "betas", (0.95, 0.99), names=("beta1", "beta2"), domain="[0,1)",
        latex=(r"\beta_1", r"\beta_2"), probe=(7 / 8, 63 / 64),
        aliases=(("beta1", "beta_1", "b1"), ("beta2", "beta_2", "b2")),
        description="decay rates of the two moments")
    gamma = hyper("gamma", 0.025, domain="[0,inf)", latex=r"\gamma", probe=1 / 8,
                  description="strength of the correction")
    eps = hyper("eps", 1e-8, domain="[0,inf)", latex=r"\epsilon", probe=2**-16,
                aliases=("epsilon",), description="term that keeps the denominator away from zero")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay", "weight_decay_rate"), description="weight decay")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    whose = option("step_of", "adamw", "lion", description="whose step is taken")
    start = option("start", "zero", "gradient",
                   description="what the first gradient is compared with")
    t = counter()
    m = state("m", "exp_avg", aliases=("m", "mu"), description="first moment")
    v = state("v", "exp_avg_sq", when=whose == "adamw", aliases=("v", "nu"),
              description="second moment")
    last = state("last", "last_grad", latex="g^{-}", description="last gradient")
    g, c = local("g"), local("c")
    size, m_hat, v_hat = local("size"), local("m_hat", r"\hat m"), local("v_hat", r"\hat v")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    let("corrected", c, g + gamma * (beta1 / (1 - beta1)) * (g - prev(last)))
    let("size", size, maximum(norm(c), 1))
    let("corrected", c, c / size, form="clipped")
    with when(start == "gradient"), when(equal(t, 1)):
        let("corrected", c, g, form="first")
    let("last_gradient", last, g)
    let("first_moment", m, beta1 * prev(m) + (1 - beta1) * c)
    let("decay", theta, theta - lr * wd * theta)
    with when(whose == "adamw"):
        let("second_moment", v, beta2 * prev(v) + (1 - beta2) * c**2)
        let("first_correction", m_hat, m / (1 - beta1**t))
        let("second_correction", v_hat, v / (1 - beta2**t))
        let("update", theta, theta - lr * m_hat / (sqrt(v_hat) + eps), form="adamw")
    with otherwise():
        let("update", theta, theta - lr * sign(m), form="lion")

    exclude(eps, whose == "lion", "a sign needs no eps")
    exclude(beta2, whose == "lion", "the step of Lion has no second moment here")

    reference("Yuan et al., MARS: unleashing the power of variance reduction for training large "
              "models, 2024, algorithms 1-3", "arXiv:2411.10438")

    dialect("mars/adamw", "the authors' release, MARS-AdamW with optimize_1d=True", export="MARS",
            note="The first gradient is compared with 0. Vectors are treated as matrices are; the "
                 "release gives them to AdamW unless told otherwise.")
    dialect("mars/lion", "the authors' release, MARS-Lion with optimize_1d=True", step_of="lion",
            note="The sign of the one average; the decay rate beta2 means nothing.")
    dialect("mars/timm", "timm.optim.Mars", start="gradient",
            note="In the first step the gradient is taken as it is, not corrected and not clipped.")
