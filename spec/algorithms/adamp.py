"""AdamP: Adam whose direction loses what would only lengthen weights that have no scale."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("adamp", "AdamP: Adam with projected updates") as spec:
    lr = hyper("lr", 1e-3, domain="[0,inf)", latex=r"\gamma", probe=1 / 16,
               aliases=("learning_rate", "alpha"), description="learning rate")
    beta1, beta2 = hyper(
        "betas", (0.9, 0.999), names=("beta1", "beta2"), domain="[0,1)",
        latex=(r"\beta_1", r"\beta_2"), probe=(7 / 8, 63 / 64),
        aliases=(("beta1", "beta_1", "b1"), ("beta2", "beta_2", "b2")),
        description="decay rates of the two moments")
    eps = hyper("eps", 1e-8, domain="[0,inf)", latex=r"\epsilon", probe=7/8,
                aliases=("epsilon",), description="term that keeps denominators away from zero")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay"), description="weight decay")
    delta = hyper("delta", 0.1, domain="[0,inf)", latex=r"\delta", probe=5 / 16,
                  description="cosine of gradient and weight, by the root of their size, below "
                              "which a weight counts as one without scale")
    share = hyper("wd_ratio", 0.1, name="share", domain="[0,1]", latex=r"\lambda_{\mathrm{inv}}",
                  probe=1 / 4, description="share of the weight decay that such a weight gets")
    nesterov = option("nesterov", argument=True, description="look ahead along the first moment")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    correction = option("correction", "moments", "step",
                        description="what corrects the bias: each moment, or the step for both")
    cosine = option("cosine", "limited", "added",
                    description="how eps acts on the norms of a cosine: as least value, or added")
    decay = option("decay", "lr", "unscaled", description="what scales the weight decay")
    t = counter()
    m = state("m", "exp_avg", aliases=("mu", "m"), description="first moment")
    v = state("v", "exp_avg_sq", aliases=("nu", "v"), description="second moment")
    g, d, u = local("g"), local("direction", "d"), local("u")
    lengths, length = local("unit_lengths", r"\|\theta\|_u"), local("length", r"\|\theta\|")
    in_units, in_all = local("unit_cosine", r"\cos_u"), local("cosine", r"\cos")
    unit_limit, limit = local("unit_limit", r"\delta_u"), local("limit", r"\delta_\theta")
    n, radial = local("outward", r"\hat\theta"), local("radial", "r")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    let("first_moment", m, beta1 * prev(m) + (1 - beta1) * g)
    let("second_moment", v, beta2 * prev(v) + (1 - beta2) * g**2)
    let("direction", d, choose(nesterov, yes=beta1 * m + (1 - beta1) * g, no=m))
    c1, c2 = 1 - beta1**t, 1 - beta2**t
    let("scaling", u, choose(
        correction, moments=d / (sqrt(v) / sqrt(c2) + eps), step=d * sqrt(c2) / (sqrt(v) + eps)))

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
        let("radial", radial, where(in_units < unit_limit, unit_total(n * u), total(n * u)))
        either = holds(in_units < unit_limit) | (in_all < limit)
        let("projection", u, where(either, u - n * radial, u))
        let("decay", theta, choose(
            decay, lr=where(either, theta - lr * wd * share * theta, theta - lr * wd * theta),
            unscaled=where(either, theta - wd * share * theta, theta - wd * theta)))
    with otherwise():
        let("decay", theta, choose(
            decay, lr=theta - lr * wd * theta, unscaled=theta - wd * theta), form="vector")
    let("update", theta, theta - lr / c1 * u)

    reference("Heo et al., AdamP: slowing down the slowdown for momentum optimizers on "
              "scale-invariant weights, ICLR 2021, algorithm 2", "arXiv:2006.08217")

    dialect("adamp/paper", "arXiv:2006.08217, algorithm 2; adamp.AdamP", export="AdamP",
            note="Whether a weight has a scale is asked of its units first, then of the whole.")
    dialect("adamp/correction-step", "pytorch_optimizer.AdamP", correction="step",
            note="The step corrects both moments, so that eps weighs less in the first steps.")
    dialect("adamp/unscaled", "pytorch_optimizer.AdamP(fixed_decay=True)",
            correction="step", decay="unscaled",
            note="As correction-step, with a decay that lr does not scale.")
    dialect("adamp/cosine-added", "torch_optimizer.AdamP", cosine="added",
            note="eps is added to the norms of the cosine.")
