"""SGD with momentum, in the forms that books and libraries confuse; SGDW decays weights apart."""

from __future__ import annotations

from typing import Any

from instep.spec.author import *

with algorithm("sgd", "Stochastic gradient descent with momentum") as spec:
    lr = hyper("lr", 1e-3, domain="[0,inf)", latex=r"\gamma", probe=1 / 16,
               aliases=("learning_rate", "alpha", "step_size"), description="learning rate")
    mu = hyper("momentum", 0.0, domain="[0,inf)", latex=r"\mu", probe=7 / 8,
               aliases=("beta", "mu", "momentum_factor"), description="momentum factor")
    tau = hyper("dampening", 0.0, domain="(-inf,inf)", latex=r"\tau", probe=1 / 4,
                description="share of the gradient withheld from the buffer, after the first step")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay", "l2"), description="weight decay")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    nesterov = option("nesterov", argument=True, description="look ahead along the buffer")
    form = option("buffer", "torch", "classical", "ema",
                  description="what the momentum buffer holds")
    first = option("first", "zero", "gradient",
                   description="what an average starts at: 0, or the first gradient")
    ahead = option("ahead", "mixed", "added",
                   description="an average's look-ahead: in its own proportions, or on top")
    look = option("gradient_at", "stored", "lookahead", description="where the gradient is taken")
    decay = option("decay", "l2", "decoupled", "unscaled", description="how weight decays")

    b = state("b", "momentum_buffer", init=None, description="momentum buffer",
              aliases=("velocity", "momentum", "exp_avg", "trace"))
    y, g, d = local("y"), local("g"), local("d")

    def gradient(point: Any) -> None:
        """Gradient at a point, and the L2 penalty of the same point."""
        let("gradient", g, choose(maximize, yes=-grad(point), no=grad(point)))
        with when(decay == "l2"), when(~equal(wd, 0)):
            let("l2", g, g + wd * point)

    with when(look == "stored"):
        gradient(theta)
    with otherwise():
        with when(absent(b)):
            let("point", y, theta, form="first")
        with otherwise():
            let("point", y, theta - mu * prev(b))
        gradient(y)

    def _follow_buffer() -> None:
        with when(absent(b)):
            with when(first == "gradient"):
                let("first_buffer", b, g, form="gradient")
            with otherwise():
                let("first_buffer", b, choose(form, torch=g, classical=lr * g, ema=(1 - mu) * g))
        with otherwise():
            let("buffer", b, choose(
                form,
                torch=mu * prev(b) + (1 - tau) * g,
                classical=mu * prev(b) + lr * g,
                ema=mu * prev(b) + (1 - mu) * g))
        with when(nesterov):
            with when(ahead == "added"):
                let("direction", d, g + mu * b, form="added")
            with otherwise():
                let("direction", d, choose(
                    form, torch=g + mu * b, classical=lr * g + mu * b, ema=(1 - mu) * g + mu * b))
        with otherwise():
            let("direction", d, b, form="buffer")

    # torch keeps no buffer while momentum is 0; on paper it is there all the time.
    with when(form == "torch"):
        with when(~equal(mu, 0)):
            _follow_buffer()
        with otherwise():
            let("direction", d, g)
    with otherwise():
        _follow_buffer()
    with when(decay == "decoupled"):
        let("decay", theta, theta - lr * wd * theta, form="decoupled")
    with when(decay == "unscaled"):
        let("decay", theta, theta - wd * theta, form="unscaled")
    let("update", theta, choose(form, classical=theta - d, otherwise=theta - lr * d))

    require(~nesterov | (~equal(mu, 0) & equal(tau, 0)),
            "nesterov needs a momentum above 0 and dampening 0")
    require(~nesterov | (look == "stored"),
            "nesterov looks ahead by itself: gradient_at must be stored")
    require((look == "stored") | (form == "classical"),
            "gradient_at=lookahead needs the classical buffer")
    require((first == "zero") | (form == "ema"), "first=gradient needs the averaging buffer")
    require((ahead == "mixed") | ((form == "ema") & nesterov),
            "ahead=added needs nesterov with the averaging buffer")
    exclude(tau, (form == "classical") | (form == "ema"), "only torch's buffer knows dampening")

    accept(sparse=equal(wd, 0), rows=equal(mu, 0) & (form == "torch"),
           reason="weight_decay is not compatible with sparse gradients")

    reference("Robbins and Monro, A stochastic approximation method, 1951",
              "doi:10.1214/aoms/1177729586")
    reference("Polyak, Some methods of speeding up the convergence of iteration methods, 1964",
              "doi:10.1016/0041-5553(64)90137-5")
    reference("Sutskever et al., On the importance of initialization and momentum in deep "
              "learning, ICML 2013, equations 1-4",
              "http://proceedings.mlr.press/v28/sutskever13.html")
    reference("Loshchilov and Hutter, Decoupled weight decay regularization, "
              "ICLR 2019, algorithm 1", "arXiv:1711.05101")

    dialect("sgd/torch", "torch.optim.SGD", export="SGD",
            note="The learning rate stands outside the buffer, which starts as the first gradient.")
    dialect("sgd/classical", "Polyak 1964; Sutskever et al. 2013, equations 1-2",
            buffer="classical", defaults={"momentum": 0.9},
            note="The learning rate is inside the buffer: another trajectory once it changes.")
    dialect("sgd/ema", "exponential moving average of gradients",
            buffer="ema", defaults={"momentum": 0.9},
            note="The buffer is an average, a factor 1 - mu smaller than torch's.")
    dialect("sgd/ema-from-gradient", "an average of gradients that starts at the first one",
            buffer="ema", first="gradient", defaults={"momentum": 0.9},
            note="As ema, but the first step is as long as one without momentum.")
    dialect("nesterov/torch", "torch.optim.SGD(nesterov=True)",
            nesterov=True, defaults={"momentum": 0.9},
            note="The gradient is taken at the stored point, already the look-ahead one.")
    dialect("nesterov/paper", "Sutskever et al. 2013, equations 3-4",
            gradient_at="lookahead", buffer="classical", defaults={"momentum": 0.9},
            note="The gradient is taken at theta - mu v, so a step needs a closure.")
    dialect("nesterov/ema", "an average looked ahead along: (1 - mu) g + mu v",
            nesterov=True, buffer="ema", defaults={"momentum": 0.9},
            note="Gradient and average are mixed as they are in the average itself.")
    dialect("nesterov/ema-added", "the gradient plus its average: g + mu v",
            nesterov=True, buffer="ema", ahead="added", defaults={"momentum": 0.9},
            note="Torch's formula with an average in the place of its sum: most of a step is g.")
    dialect("sgdw/decoupled", "arXiv:1711.05101's decay on torch's buffer", decay="decoupled",
            export="SGDW",
            note="The parameter decays by lr times weight_decay; the buffer never sees it.")
    dialect("sgdw/paper", "arXiv:1711.05101, algorithm 1, with eta_t = 1",
            decay="unscaled", buffer="classical", defaults={"momentum": 0.9},
            note="The learning rate is inside the buffer and does not scale the decay.")
