"""Adam with D-Adaptation: the learning rate is a bound on the distance to the solution."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("dadapt-adam", "Adam with D-Adaptation") as spec:
    lr = hyper("lr", 1.0, domain="[0,inf)", scope="optimizer", latex=r"\gamma", probe=1 / 4,
               aliases=("learning_rate", "step_size"),
               description="factor of the estimated learning rate, for schedules")
    beta1, beta2 = hyper(
        "betas", (0.9, 0.999), names=("beta1", "beta2"), domain="[0,1)", scope="optimizer",
        latex=(r"\beta_1", r"\beta_2"), probe=(7 / 8, 15 / 16),
        aliases=(("beta1", "beta_1", "b1"), ("beta2", "beta_2", "b2")),
        description="decay rates of the two moments; the root of beta2 is that of both sums")
    eps = hyper("eps", 1e-8, domain="(0,inf)", latex=r"\epsilon", probe=1 / 2,
                aliases=("epsilon",), description="term that keeps the denominator away from zero")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay"), description="weight decay")
    d0 = hyper("d0", 1e-6, domain="(0,inf)", scope="optimizer", latex="d_0", probe=2**-6,
               aliases=("estim_lr0",), description="first estimate of the distance, from below")
    growth = hyper("growth_rate", float("inf"), name="growth", domain="[1,inf]",
                   scope="optimizer", latex="G", probe=33 / 32,
                   description="largest factor by which the distance grows in a step")
    decay = option("decay", "l2", "decoupled", argument="decouple",
                   spelling={False: "l2", True: "decoupled"}, description="how weight decays")
    correction = option("correction", argument="use_bias_correction",
                        description="whether the rate is corrected for the moments' bias")
    standstill = option("standstill", "pause", "run",
                        description="what a learning rate of zero does to moments and sums")
    signature("lr", "betas", "eps", "weight_decay", "decouple", "use_bias_correction",
              "d0", "growth_rate")

    k = state("k", "k", scope="optimizer", when=correction,
              description="steps since the first gradient")
    d = state("d", "d", init=d0, scope="optimizer", description="bound on the distance so far")
    r = state("r", "numerator_weighted", scope="optimizer",
              description="average of how far gradients agree with those before")
    m = state("m", "exp_avg", aliases=("mu", "m"), description="first moment of the steps")
    v = state("v", "exp_avg_sq", aliases=("nu", "v"), description="second moment")
    s = state("s", "s", aliases=("grad_sum",), description="average of gradients, times rates")
    g, rate = local("g"), local("rate", r"\alpha")
    runs, counts = local("runs"), local("counts")
    rho, agreement = local("rho", r"\rho"), local("agreement", "a")
    size, e = local("size", r"\sigma"), local("d_hat", r"\hat d")

    let("gradient", g, grad(theta))
    with when(decay == "l2"), when(~equal(wd, 0)):
        let("l2", g, g + wd * theta)
    let("rate", rate, prev(d) * lr)
    with when(correction):
        let("corrected_rate", rate, rate * sqrt(1 - beta2**(prev(k) + 1))
            / (1 - beta1**(prev(k) + 1)))
    let("smoothing", rho, sqrt(beta2))
    let("runs", runs, choose(standstill, pause=lr, run=1))
    let("counts", counts, choose(standstill, pause=1, run=lr))

    with when(runs > 0):
        # In the metric of the step before; in the first one s is zero, whatever its metric.
        let("agreement", agreement, rate * total_over_params(g * prev(s) / (sqrt(prev(v)) + eps)))
        let("first_moment", m, beta1 * prev(m) + rate * (1 - beta1) * g)
        let("second_moment", v, beta2 * prev(v) + (1 - beta2) * g**2)
        let("sum_of_gradients", s, rho * prev(s) + rate * (1 - rho) * g)
        let("size", size, total_over_params(abs(s)))
        # Without any gradient so far there is nothing to estimate from, and no step.
        with when(size > 0):
            let("average_agreement", r, rho * prev(r) + (1 - rho) * agreement)
            let("estimate", e, r / ((1 - rho) * size))
            with when(counts > 0):
                let("distance", d, maximum(prev(d), minimum(e, growth * prev(d))))
            with when(correction):
                let("count", k, prev(k) + 1)
            with when(decay == "decoupled"):
                let("decay", theta, theta - rate * wd * theta)
            let("update", theta, theta - m / (sqrt(v) + eps))

    reference("Defazio and Mishchenko, Learning-rate-free learning by D-Adaptation, "
              "ICML 2023, algorithm 5", "arXiv:2301.07733")

    dialect("dadapt-adam/authors", "arXiv:2301.07733, algorithm 5; dadaptation.DAdaptAdam",
            export="DAdaptAdam",
            note="A learning rate of zero pauses everything; one learning rate serves all groups.")
    dialect("dadapt-adam/decoupled", "dadaptation.DAdaptAdam(decouple=True); "
            "optax.contrib.dadapt_adamw, corrected", decay="decoupled",
            note="The parameter decays first, by the estimated rate times weight_decay.")
    dialect("dadapt-adam/corrected", "dadaptation.DAdaptAdam(use_bias_correction=True)",
            correction=True,
            note="The rate is corrected for the bias of the moments, and with it the sums.")
    dialect("dadapt-adam/running", "pytorch_optimizer.DAdaptAdam", standstill="run",
            note="While the learning rate is zero moments and sums go on, and parameters with "
                 "them: rates are part of the first moment.")
