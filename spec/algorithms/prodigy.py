"""Prodigy: Adam whose learning rate is an estimate of the distance to the solution."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("prodigy", "Prodigy: Adam with an estimated distance to the solution") as spec:
    lr = hyper("lr", 1.0, domain="[0,inf)", scope="optimizer", latex=r"\gamma", probe=1 / 2,
               aliases=("learning_rate", "step_size"),
               description="factor of the estimated learning rate, for schedules")
    beta1, beta2 = hyper(
        "betas", (0.9, 0.999), names=("beta1", "beta2"), domain="[0,1)", scope="optimizer",
        latex=(r"\beta_1", r"\beta_2"), probe=(7 / 8, 15 / 16),
        aliases=(("beta1", "beta_1", "b1"), ("beta2", "beta_2", "b2")),
        description="decay rates of the two moments")
    beta3 = hyper("beta3", 0.999**0.5, domain="[0,1)", scope="optimizer", latex=r"\beta_3",
                  probe=3 / 4, aliases=("beta_3", "b3"), description="decay rate of both sums")
    eps = hyper("eps", 1e-8, domain="(0,inf)", latex=r"\epsilon", probe=2**-20,
                aliases=("epsilon",), description="term that keeps the denominator away from zero")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay"), description="weight decay")
    d0 = hyper("d0", 1e-6, domain="(0,inf)", scope="optimizer", latex="d_0", probe=2**-6,
               aliases=("estim_lr0",), description="first estimate of the distance, from below")
    factor = hyper("d_coef", 1.0, name="factor", domain="(0,inf)", scope="optimizer", latex="c",
                   probe=9, aliases=("estim_lr_coef",), description="factor of every estimate")
    growth = hyper("growth_rate", float("inf"), name="growth", domain="[1,inf]",
                   scope="optimizer", latex="G", probe=2,
                   description="largest factor by which the distance grows in a step")
    decay = option("decay", "decoupled", "l2", argument="decouple",
                   spelling={True: "decoupled", False: "l2"}, description="how weight decays")
    correction = option("correction", argument="use_bias_correction",
                        description="whether the rate is corrected for the moments' bias")
    safeguard = option("safeguard", argument="safeguard_warmup",
                       description="whether the learning rate is left out of the sum of gradients")
    smoothing = option("smoothing", "root", "own",
                       description="decay rate of both sums: the root of beta2, or its own")
    standstill = option("standstill", "pause", "run",
                        description="what a learning rate of zero does to moments and sums")
    weights = option("weights", "relative", "averaged",
                     description="both sums: in units of d0, or averages")
    epsilon = option("epsilon", "new", "old", description="the distance that scales eps")
    signature("lr", "betas", "beta3", "eps", "weight_decay", "decouple", "use_bias_correction",
              "safeguard_warmup", "d0", "d_coef", "growth_rate")

    k = state("k", "k", scope="optimizer", when=correction,
              description="steps since the first gradient")
    d = state("d", "d", init=d0, scope="optimizer", description="the distance, as it is used")
    top = state("top", "d_max", init=d0, scope="optimizer", latex=r"d^{\max}",
                description="largest estimate of the distance so far")
    n = state("n", "d_numerator", scope="optimizer", latex="r",
              description="weighted sum of gradients along the way from the start")
    m = state("m", "exp_avg", aliases=("mu", "m"), description="first moment")
    v = state("v", "exp_avg_sq", aliases=("nu", "v"), description="second moment")
    s = state("s", "s", aliases=("grad_sum",), description="weighted sum of gradients")
    start = state("start", "p0", init=theta, latex=r"\theta_0", aliases=("params0",),
                  description="where it began")
    g, rate, runs = local("g"), local("rate", r"\alpha"), local("runs")
    rho, weight, size = local("rho", r"\rho"), local("weight", "w"), local("size", r"\sigma")
    e, near = local("d_hat", r"\hat d"), local("d_near", r"\bar d")

    let("gradient", g, grad(theta))
    with when(decay == "l2"), when(~equal(wd, 0)):
        let("l2", g, g + wd * theta)
    let("rate", rate, prev(d) * lr)
    with when(correction):
        let("corrected_rate", rate, rate * sqrt(1 - beta2**(prev(k) + 1))
            / (1 - beta1**(prev(k) + 1)))
    let("smoothing", rho, choose(smoothing, root=sqrt(beta2), own=beta3))
    let("weight", weight, choose(weights, relative=prev(d) / d0, averaged=(1 - rho) * prev(d)))
    let("runs", runs, choose(standstill, pause=lr, run=1))

    with when(runs > 0):
        let("first_moment", m, beta1 * prev(m) + prev(d) * (1 - beta1) * g)
        let("second_moment", v, beta2 * prev(v) + prev(d)**2 * (1 - beta2) * g**2)
        let("sum_of_gradients", s, choose(
            safeguard, yes=rho * prev(s) + weight * prev(d) * g,
            no=rho * prev(s) + weight * rate * g))
        let("size", size, total_over_params(abs(s)))
        # Without any gradient so far there is nothing to estimate from, and no step.
        with when(size > 0):
            way = total_over_params(g * (prev(start) - theta))
            let("way", n, rho * prev(n) + weight * rate * way)
            let("estimate", e, factor * n / size)
            let("first_distance", near, where(equal(prev(d), d0), maximum(prev(d), e), prev(d)))
            let("largest_distance", top, maximum(prev(top), e))
            let("distance", d, minimum(top, growth * near))
            with when(correction):
                let("count", k, prev(k) + 1)
            with when(decay == "decoupled"):
                let("decay", theta, theta - rate * wd * theta)
            let("update", theta, choose(
                epsilon, new=theta - rate * m / (sqrt(v) + d * eps),
                old=theta - rate * m / (sqrt(v) + prev(d) * eps)))

    exclude(beta3, smoothing == "root", "the root of beta2 takes its place")

    reference("Mishchenko and Defazio, Prodigy: an expeditiously adaptive parameter-free learner, "
              "ICML 2024, algorithm 4", "arXiv:2306.06101")

    dialect("prodigy/authors", "prodigyopt.Prodigy", export="Prodigy",
            note="A learning rate of zero pauses everything; one learning rate serves all groups.")
    dialect("prodigy/paper", "arXiv:2306.06101, algorithm 4",
            standstill="run", weights="averaged", epsilon="old",
            note="Both sums are averages, and the distance from before the step scales eps.")
    dialect("prodigy/corrected", "prodigyopt.Prodigy(use_bias_correction=True)", correction=True,
            note="The rate is corrected for the bias of the moments, and with it both sums.")
    dialect("prodigy/safeguarded", "prodigyopt.Prodigy(safeguard_warmup=True)", safeguard=True,
            note="The learning rate weighs the way, but not the sum of gradients: warm-up keeps "
                 "estimates low.")
    dialect("prodigy/l2", "prodigyopt.Prodigy(decouple=False)", decay="l2",
            note="Weight decay is part of the gradient.")
    dialect("prodigy/own-smoothing", "prodigyopt.Prodigy(beta3=b)", smoothing="own",
            note="Both sums have a decay rate of their own, not the root of beta2.")
    dialect("prodigy/running", "pytorch_optimizer.Prodigy; optax.contrib.prodigy, corrected",
            standstill="run",
            note="While the learning rate is zero moments and sums go on; only parameters wait.")
