"""RAdam: Adam whose step is scaled by how much its second moment can be trusted."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("radam", "RAdam: rectified Adam") as spec:
    lr = hyper("lr", 1e-3, domain="[0,inf)", latex=r"\gamma", probe=1 / 16,
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
    decay = option("decay", "l2", "decoupled", argument="decoupled_weight_decay",
                   spelling={False: "l2", True: "decoupled"}, description="how weight decays")
    maximize = option("maximize", argument=True, description="ascend instead of descend")
    threshold = option("threshold", "five", "four",
                       description="length of the average that rectification takes to begin")
    epsilon = option("epsilon", "hat", "outside", description="where eps stands in the denominator")
    start = option("start", "momentum", "wait",
                   description="before rectification: a step along the first moment, or none")
    signature("lr", "betas", "eps", "weight_decay", "decoupled_weight_decay", "*",
              "foreach", "maximize", "capturable", "differentiable")

    t = counter()
    m = state("m", "exp_avg", aliases=("mu", "m", "momentum", "first_moment"),
              description="first moment")
    v = state("v", "exp_avg_sq", aliases=("nu", "v", "second_moment"), description="second moment")
    g, d, r = local("g"), local("d"), local("r")
    m_hat, v_hat = local("m_hat", r"\hat m"), local("v_hat", r"\hat v")
    rho_inf, rho, rho_min = (
        local("rho_inf", r"\rho_\infty"), local("rho", r"\rho"), local("rho_min", r"\rho_{\min}"))

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    with when(decay == "l2"), when(~equal(wd, 0)):
        let("l2", g, g + wd * theta)
    with when((decay == "decoupled") & (start == "momentum")):
        let("decay", theta, theta - lr * wd * theta)

    let("first_moment", m, beta1 * prev(m) + (1 - beta1) * g)
    let("second_moment", v, beta2 * prev(v) + (1 - beta2) * g**2)
    let("first_correction", m_hat, m / (1 - beta1**t))

    # The ratio that Adam divides by is taken for a simple average over the last rho gradients. Its
    # length tends to rho_inf; the variance of the ratio is finite above a length of 4.
    let("longest_average", rho_inf, 2 / (1 - beta2) - 1)
    let("average_length", rho, rho_inf - 2 * t * beta2**t / (1 - beta2**t))
    let("threshold", rho_min, choose(threshold, five=5, four=4))
    with when(rho > rho_min):
        with when((decay == "decoupled") & (start == "wait")):
            let("decay", theta, theta - lr * wd * theta, form="rectified")
        let("rectification", r, sqrt(
            (rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)))
        with when(epsilon == "hat"):
            let("denominator", d, (sqrt(v) + eps) / sqrt(1 - beta2**t), form="hat")
        with otherwise():
            let("second_correction", v_hat, v / (1 - beta2**t))
            let("denominator", d, sqrt(v_hat) + eps)
        let("update", theta, theta - lr * r * m_hat / d)
    with otherwise(), when(start == "momentum"):
        let("update", theta, theta - lr * m_hat, form="unrectified")

    reference("Liu et al., On the variance of the adaptive learning rate and beyond, "
              "ICLR 2020, algorithm 2", "arXiv:1908.03265")
    reference("Loshchilov and Hutter, Decoupled weight decay regularization, "
              "ICLR 2019, algorithm 2", "arXiv:1711.05101")

    dialect("radam/torch", "torch.optim.RAdam", export="RAdam",
            note="Rectified above a length of 5; eps is added before the root is corrected.")
    dialect("radam/paper", "arXiv:1908.03265, algorithm 2", threshold="four",
            note="Rectified above a length of 4: one step earlier. The paper itself has no eps.")
    dialect("radam/decoupled", "torch.optim.RAdam(decoupled_weight_decay=True); the authors' code",
            decay="decoupled",
            note="The parameter decays first, by lr times weight_decay, rectified or not.")
    dialect("radam/optax", "optax.radam", epsilon="outside",
            note="eps is added to the root of the corrected second moment, as in Adam's paper.")
    dialect("radam/wait", "the authors' code with degenerated_to_sgd=False",
            decay="decoupled", start="wait",
            note="Until the second moment can be trusted nothing moves, and nothing decays.")
