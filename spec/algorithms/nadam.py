"""NAdam: Adam with Nesterov's momentum, whose strength grows by a schedule."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("nadam", "NAdam: Adam with Nesterov momentum") as spec:
    lr = hyper("lr", 2e-3, domain="[0,inf)", latex=r"\gamma", probe=1 / 16,
               aliases=("learning_rate", "alpha", "step_size"), description="learning rate")
    beta1, beta2 = hyper(
        "betas", (0.9, 0.999), names=("beta1", "beta2"), domain="[0,1)",
        latex=(r"\beta_1", r"\beta_2"), probe=(7 / 8, 63 / 64),
        aliases=(("beta1", "beta_1", "b1"), ("beta2", "beta_2", "b2")),
        description="decay rates of the two moments")
    eps = hyper("eps", 1e-8, domain="[0,inf)", latex=r"\epsilon", probe=2**-20,
                aliases=("epsilon",), description="term that keeps the denominator away from zero")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay", "weight_decay_rate"), description="weight decay")
    psi = hyper("momentum_decay", 4e-3, name="psi", domain="[0,inf)", latex=r"\psi", probe=4,
                aliases=("schedule_decay",), description="how fast the momentum grows to beta1")
    decay = option("decay", "l2", "decoupled", argument="decoupled_weight_decay",
                   spelling={False: "l2", True: "decoupled"}, description="how weight decays")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    momentum = option("momentum", "schedule", "constant",
                      description="whether the momentum grows by a schedule")
    signature("lr", "betas", "eps", "weight_decay", "momentum_decay", "decoupled_weight_decay", "*",
              "foreach", "maximize", "capturable", "differentiable")

    t = counter()
    m = state("m", "exp_avg", aliases=("mu", "m", "momentum", "first_moment"),
              description="first moment")
    v = state("v", "exp_avg_sq", aliases=("nu", "v", "second_moment"), description="second moment")
    product = state("product", "mu_product", init=1, shape="scalar", when=momentum == "schedule",
                    latex=r"\Pi", aliases=("m_schedule",), description="product of the momenta")
    g, d = local("g"), local("d")
    mu, mu_next = local("mu", r"\mu"), local("mu_next", r"\mu^{+}")
    m_hat, v_hat = local("m_hat", r"\hat m"), local("v_hat", r"\hat v")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    with when(decay == "l2"), when(~equal(wd, 0)):
        let("l2", g, g + wd * theta)
    with when(decay == "decoupled"):
        let("decay", theta, theta - lr * wd * theta)

    let("first_moment", m, beta1 * prev(m) + (1 - beta1) * g)
    let("second_moment", v, beta2 * prev(v) + (1 - beta2) * g**2)
    with when(momentum == "schedule"):
        let("momentum", mu, beta1 * (1 - 0.5 * 0.96 ** (t * psi)))
        let("next_momentum", mu_next, beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi)))
        let("momentum_product", product, prev(product) * mu)
        let("first_correction", m_hat,
            mu_next * m / (1 - product * mu_next) + (1 - mu) * g / (1 - product))
    with otherwise():
        let("first_correction", m_hat,
            beta1 * m / (1 - beta1 ** (t + 1)) + (1 - beta1) * g / (1 - beta1**t), form="constant")
    let("second_correction", v_hat, v / (1 - beta2**t))
    let("denominator", d, sqrt(v_hat) + eps)
    let("update", theta, theta - lr * m_hat / d)

    exclude(psi, momentum == "constant", "a constant momentum has no schedule")

    reference("Dozat, Incorporating Nesterov momentum into Adam, ICLR 2016 workshop, algorithm 2",
              "https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ")
    reference("Loshchilov and Hutter, Decoupled weight decay regularization, "
              "ICLR 2019, algorithm 2", "arXiv:1711.05101")

    dialect("nadam/torch", "torch.optim.NAdam", export="NAdam",
            note="The momentum starts near half of beta1 and grows to it.")
    dialect("nadam/decoupled", "torch.optim.NAdam(decoupled_weight_decay=True)", decay="decoupled",
            note="The parameter decays first, by lr times weight_decay.")
    dialect("nadam/keras", "keras.optimizers.Nadam", defaults={"psi": 1.0, "eps": 1e-7},
            note="The same schedule, 250 times faster.")
    dialect("nadam/constant", "Dozat 2016, algorithm 2 with a constant momentum; optax.nadam",
            momentum="constant",
            note="The momentum is beta1 throughout; the next one is corrected with t + 1.")
