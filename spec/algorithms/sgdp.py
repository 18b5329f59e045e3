"""SGDP: SGD whose step loses what would only lengthen weights that have no scale."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("sgdp", "SGDP: SGD with projected updates") as spec:
    lr = hyper("lr", 1e-3, domain="[0,inf)", latex=r"\gamma", probe=1 / 16,
               aliases=("learning_rate", "alpha"), description="learning rate")
    mu = hyper("momentum", 0.0, domain="[0,1)", latex=r"\mu", probe=3 / 4,
               aliases=("beta", "mu", "momentum_factor"), description="momentum factor")
    tau = hyper("dampening", 0.0, domain="(-inf,inf)", latex=r"\tau", probe=1 / 4,
                description="share of the gradient withheld from the buffer")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 16,
               aliases=("wd", "decay"), description="weight decay, of a step without momentum")
    eps = hyper("eps", 1e-8, domain="[0,inf)", latex=r"\epsilon", probe=7/8,
                aliases=("epsilon",), description="term that keeps denominators away from zero")
    delta = hyper("delta", 0.1, domain="[0,inf)", latex=r"\delta", probe=5 / 16,
                  description="cosine of gradient and weight, by the root of their size, below "
                              "which a weight counts as one without scale")
    share = hyper("wd_ratio", 0.1, name="share", domain="[0,1]", latex=r"\lambda_{\mathrm{inv}}",
                  probe=1 / 4, description="share of the weight decay that such a weight gets")
    nesterov = option("nesterov", argument=True, description="look ahead along the buffer")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    kept = option("buffer", "summed", "projected",
                  description="what the next step finds: the sum of gradients, or its projection")
    cosine = option("cosine", "limited", "added",
                    description="how eps acts on the norms of a cosine: as least value, or added")
    decay = option("decay", "lr", "unscaled", description="what scales the weight decay")
    b = state("b", "momentum_buffer", aliases=("momentum", "velocity", "trace"),
              description="momentum buffer")
    g, d = local("g"), local("direction", "d")
    lengths, length = local("unit_lengths", r"\|\theta\|_u"), local("length", r"\|\theta\|")
    in_units, in_all = local("unit_cosine", r"\cos_u"), local("cosine", r"\cos")
    unit_limit, limit = local("unit_limit", r"\delta_u"), local("limit", r"\delta_\theta")
    n, radial = local("outward", r"\hat\theta"), local("radial", "r")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    let("buffer", b, mu * prev(b) + (1 - tau) * g)
    let("direction", d, choose(nesterov, yes=g + mu * b, no=b))

    c = 1 - mu
    with when(ndim(theta) > 1):
        let("unit_norm", lengths, unit_norm(theta))
        let("norm", length, norm(theta))
        let("unit_cosine", in_units, choose(
            cosine,
            limited=largest(abs(unit_total(g * theta)) / (
                maximum(unit_norm(g), eps) * maximum(lengths, eps))),
            added=largest(
                abs(unit_total(g * theta)) / ((unit_norm(g) + eps) * (lengths + eps)))))
        let("cosine", in_all, choose(
            cosine,
            limited=abs(total(g * theta)) / (maximum(norm(g), eps) * maximum(length, eps)),
            added=abs(total(g * theta)) / ((norm(g) + eps) * (length + eps))))
        let("unit_limit", unit_limit, delta / sqrt(unit_size(theta)))
        let("limit", limit, delta / sqrt(numel(theta)))
        let("outward", n, where(
            in_units < unit_limit, theta / (lengths + eps), theta / (length + eps)))
        let("radial", radial, where(in_units < unit_limit, unit_total(n * d), total(n * d)))
        either = holds(in_units < unit_limit) | (in_all < limit)
        let("projection", d, where(either, d - n * radial, d))
        with when(kept == "projected"), when(~nesterov):
            let("projected_buffer", b, d)
        let("decay", theta, choose(
            decay,
            lr=where(either, theta - lr * wd * share / c * theta, theta - lr * wd / c * theta),
            unscaled=where(either, theta - wd * share / c * theta, theta - wd / c * theta)))
    with otherwise():
        let("decay", theta, choose(
            decay, lr=theta - lr * wd / c * theta, unscaled=theta - wd / c * theta), form="vector")
    let("update", theta, theta - lr * d)

    reference("Heo et al., AdamP: slowing down the slowdown for momentum optimizers on "
              "scale-invariant weights, ICLR 2021, algorithm 1", "arXiv:2006.08217")

    dialect("sgdp/paper", "arXiv:2006.08217, algorithm 1; pytorch_optimizer.SGDP", export="SGDP",
            note="The step is projected, the buffer is not.")
    dialect("sgdp/unscaled", "pytorch_optimizer.SGDP(fixed_decay=True)", decay="unscaled",
            note="As paper, with a decay that lr does not scale.")
    dialect("sgdp/release", "adamp.SGDP", buffer="projected",
            note="Without nesterov the step is the buffer, which is projected with it.")
    dialect("sgdp/cosine-added", "torch_optimizer.SGDP", buffer="projected", cosine="added",
            note="As release; eps is added to the norms of the cosine.")
