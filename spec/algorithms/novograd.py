"""NovoGrad: gradients normalised by one second moment for each tensor."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("novograd", "NovoGrad: layerwise second moments") as spec:
    lr = hyper("lr", 1e-3, domain="[0,inf)", latex=r"\gamma", probe=1 / 16,
               aliases=("learning_rate",), description="learning rate")
    beta1, beta2 = hyper(
        "betas", (0.95, 0.98), names=("beta1", "beta2"), domain="[0,1)",
        latex=(r"\beta_1", r"\beta_2"), probe=(7 / 8, 3 / 4),
        aliases=(("beta1", "beta_1", "b1"), ("beta2", "beta_2", "b2")),
        description="decay rates of the two moments")
    eps = hyper("eps", 1e-8, domain="[0,inf)", latex=r"\epsilon", probe=1 / 8,
                aliases=("epsilon",), description="term that keeps the denominator away from zero")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay"), description="weight decay")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    averaging = option("grad_averaging", argument=True,
                       description="weigh what enters the first moment by 1 - beta1")
    start = option("start", "once", "after-zero",
                   description="which second moments take the gradient's square whole: the first, "
                               "or those that come after zero")
    first = option("first", "whole", "weighed",
                   description="whether averaging spares the first step")
    decay = option("decay", "inside", "decoupled", description="how weight decays")
    m = state("m", "exp_avg", init=None, aliases=("moments", "m"), description="first moment")
    v = state("v", "exp_avg_sq", init=None, shape="reduced", aliases=("grads_ema", "v"),
              description="second moment of the whole tensor")
    g, n, u = local("g"), local("square", r"\|g\|^2"), local("u")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    let("square", n, total(g**2))
    with when(absent(v)):
        let("second_moment", v, n, form="first")
    with otherwise():
        let("second_moment", v, choose(
            start, once=beta2 * prev(v) + (1 - beta2) * n,
            after_zero=where(equal(prev(v), 0), n, beta2 * prev(v) + (1 - beta2) * n)))
    let("normalised", u, g / (sqrt(v) + eps))
    with when(decay == "inside"):
        let("penalty", u, u + wd * theta)
    with otherwise():
        let("decay", theta, theta - lr * wd * theta)
    with when(absent(m)):
        with when(first == "whole"):
            let("first_moment", m, u, form="first")
        with otherwise():
            let("first_moment", m, choose(averaging, yes=(1 - beta1) * u, no=u), form="first")
    with otherwise():
        let("first_moment", m, choose(
            averaging, yes=beta1 * prev(m) + (1 - beta1) * u, no=beta1 * prev(m) + u))
    let("update", theta, theta - lr * m)

    reference("Ginsburg et al., Stochastic gradient methods with layer-wise adaptive moments for "
              "training of deep networks, 2019, algorithm 1", "arXiv:1905.11286")

    dialect("novograd/paper", "arXiv:1905.11286, algorithm 1", export="NovoGrad",
            note="Both moments start as what the first gradient gives; decay is inside.")
    dialect("novograd/zero", "torch_optimizer.NovoGrad", start="after-zero", first="weighed",
            defaults={"beta2": 0.0},
            note="A second moment of zero takes the next square whole; the default beta2 is 0.")
    dialect("novograd/decoupled", "pytorch_optimizer.NovoGrad", decay="decoupled",
            note="The parameter decays by itself, before it moves.")
