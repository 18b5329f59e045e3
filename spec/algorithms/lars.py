"""LARS: SGD with momentum, its rate scaled layer by layer by a ratio of norms."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("lars", "LARS: layerwise adaptive rate scaling") as spec:
    lr = hyper("lr", 1e-2, domain="[0,inf)", latex=r"\gamma", probe=1 / 2,
               aliases=("learning_rate",), description="learning rate")
    mu = hyper("momentum", 0.9, name="mu", domain="[0,1)", latex=r"\mu", probe=7 / 8,
               aliases=("beta", "mu"), description="momentum factor")
    tau = hyper("dampening", 0.0, name="tau", domain="[0,1)", latex=r"\tau", probe=1 / 4,
                description="share of the gradient withheld from the buffer")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay"), description="weight decay")
    trust = hyper("trust_coefficient", 1e-3, name="trust", domain="[0,inf)", latex=r"\eta",
                  probe=1 / 4, aliases=("trust_coef", "eta"),
                  description="how far a ratio of norms is trusted")
    eps = hyper("eps", 1e-8, domain="[0,inf)", latex=r"\epsilon", probe=1 / 8,
                aliases=("epsilon",), description="term that keeps the denominator away from zero")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    nesterov = option("nesterov", argument=True, description="look ahead along the buffer")
    ratio = option("ratio", "sum", "denominator", "eps", "decayed",
                   description="what the parameter's norm is divided by: the sum of both norms "
                               "(if both are above zero, or the sum is), that and eps, the norm "
                               "of the decayed gradient")
    skip = option("skip", "none", "without-decay", "vectors",
                  description="what is neither scaled nor decayed")
    buffer = option("buffer", "inside", "outside", "damped",
                    description="whether the rate is in the buffer; if not, whether its first "
                                "entry is dampened")
    b = state("b", "momentum_buffer", init=None, aliases=("velocity", "momentum"),
              description="momentum buffer")
    w_norm, g_norm = local("w_norm", r"\|w\|"), local("g_norm", r"\|g\|")
    g, d, q, s = local("g"), local("d"), local("trust_ratio", r"\rho"), local("s")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    let("weight_norm", w_norm, norm(theta))
    let("gradient_norm", g_norm, choose(ratio, decayed=norm(g + wd * theta), otherwise=norm(g)))
    both = holds(w_norm > 0) & (g_norm > 0)

    def scaled() -> None:
        """The gradient, decayed and scaled, unless a norm is zero."""
        let("trust_ratio", q, choose(
            ratio, sum=where(both, trust * w_norm / (g_norm + wd * w_norm), 1),
            denominator=where(holds(w_norm > 0) & (g_norm + wd * w_norm > 0),
                              trust * w_norm / (g_norm + wd * w_norm), 1),
            eps=trust * w_norm / (g_norm + wd * w_norm + eps),
            decayed=where(both, trust * w_norm / g_norm, 1)))
        let("direction", d, choose(
            ratio, eps=where(both, q * (g + wd * theta), g), otherwise=q * (g + wd * theta)))

    with when(skip == "none"):
        scaled()
    with when(skip == "without-decay"):
        with when(~equal(wd, 0)):
            scaled()
        with otherwise():
            let("direction", d, g, form="plain")
    with when(skip == "vectors"):
        with when(ndim(theta) > 1):
            scaled()
        with otherwise():
            let("direction", d, g, form="plain")

    def follow_buffer() -> None:
        """A velocity that the first direction fills, and the step that it gives."""
        with when(absent(b)):
            let("buffer", b, choose(
                buffer, inside=lr * d, outside=d, damped=(1 - tau) * d), form="first")
        with otherwise():
            let("buffer", b, choose(
                buffer, inside=mu * prev(b) + lr * d, otherwise=mu * prev(b) + (1 - tau) * d))
        with when(nesterov):
            let("step", s, choose(buffer, inside=lr * d + mu * b, otherwise=d + mu * b))
        with otherwise():
            let("step", s, b, form="buffer")

    # Implementations keep no buffer while momentum is 0; on paper it is there all the time.
    with when(buffer == "inside"):
        follow_buffer()
    with otherwise():
        with when(~equal(mu, 0)):
            follow_buffer()
        with otherwise():
            let("step", s, d, form="plain")
    let("update", theta, choose(buffer, inside=theta - s, otherwise=theta - lr * s))

    require(~nesterov | ~equal(mu, 0), "nesterov needs a momentum above 0")
    require(~nesterov | equal(tau, 0), "nesterov needs dampening 0")
    exclude(tau, buffer == "inside", "a rate inside the buffer knows no dampening")
    exclude(eps, ~(ratio == "eps"), "nothing is added to the norms")

    reference("You, Gitman and Ginsburg, Large batch training of convolutional networks, 2017, "
              "algorithm 1", "arXiv:1708.03888")

    dialect("lars/paper", "arXiv:1708.03888, algorithm 1", export="LARS",
            note="The rate is in the buffer; a norm of zero, of which the paper does not speak, "
                 "leaves the gradient unscaled.")
    dialect("lars/without-decay", "torch_optimizer.LARS; lightning-bolts",
            ratio="eps", skip="without-decay", buffer="outside",
            defaults={"mu": 0.0, "trust": 1e-2},
            note="Without weight decay, or with a norm of zero, nothing is scaled or decayed.")
    dialect("lars/vectors", "pytorch_optimizer.LARS",
            ratio="denominator", skip="vectors", buffer="damped", defaults={"lr": 1e-3},
            note="Scalars and vectors are neither scaled nor decayed; weight decay is scaled "
                 "where the gradient is zero, too.")
    dialect("lars/decayed", "optax.lars", ratio="decayed",
            note="The ratio is taken of the decayed gradient's norm.")
