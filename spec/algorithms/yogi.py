"""Yogi: the second moment moves by the square of the gradient, up or down."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("yogi", "Yogi: additive adaptive method") as spec:
    lr = hyper("lr", 1e-2, domain="[0,inf)", latex=r"\eta", probe=1 / 16,
               aliases=("learning_rate", "alpha", "step_size"), description="learning rate")
    beta1, beta2 = hyper(
        "betas", (0.9, 0.999), names=("beta1", "beta2"), domain="[0,1)",
        latex=(r"\beta_1", r"\beta_2"), probe=(7 / 8, 63 / 64),
        aliases=(("beta1", "beta_1", "b1"), ("beta2", "beta_2", "b2")),
        description="decay rates of the two moments")
    eps = hyper("eps", 1e-3, domain="[0,inf)", latex=r"\epsilon", probe=2**-8,
                aliases=("epsilon",), description="term that keeps the denominator away from zero")
    initial = hyper("initial_accumulator", 1e-6, domain="[0,inf)", latex="v_0", probe=2**-12,
                    aliases=("initial_accumulator_value",), description="initial second moment")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay", "weight_decay_rate"), description="weight decay")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    correction = option("correction", "none", "both", description="correction of the bias")
    start = option("start", "zero", "accumulator", description="where the first moment starts")
    decay = option("decay", "l2", "decoupled", description="how weight decays")
    t = counter()
    m = state("m", "exp_avg", aliases=("mu", "m", "momentum", "first_moment"),
              description="first moment")
    v = state("v", "exp_avg_sq", init=initial, aliases=("nu", "v", "second_moment"),
              description="second moment")
    g, m_hat, v_hat = local("g"), local("m_hat", r"\hat m"), local("v_hat", r"\hat v")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    with when(decay == "l2"):
        let("l2", g, g + wd * theta)
    with otherwise():
        let("decay", theta, theta - lr * wd * theta)
    with when(start == "accumulator"):
        with when(equal(t, 1)):
            let("first_moment", m, beta1 * initial + (1 - beta1) * g, form="first")
        with otherwise():
            let("first_moment", m, beta1 * prev(m) + (1 - beta1) * g)
    with otherwise():
        let("first_moment", m, beta1 * prev(m) + (1 - beta1) * g)
    let("second_moment", v, prev(v) - (1 - beta2) * sign(prev(v) - g**2) * g**2)
    let("first_correction", m_hat, choose(correction, none=m, both=m / (1 - beta1**t)))
    let("second_correction", v_hat, choose(correction, none=v, both=v / (1 - beta2**t)))
    let("update", theta, theta - lr * m_hat / (sqrt(v_hat) + eps))

    reference("Zaheer et al., Adaptive methods for nonconvex optimization, NeurIPS 2018, "
              "algorithm 2",
              "https://proceedings.neurips.cc/paper/2018/hash/90365351ccc7437a1309dc64e4db32a3")

    dialect("yogi/paper", "Zaheer et al. 2018, algorithm 2", export="Yogi",
            note="Moments are used as they are; the second one starts at 1e-6.")
    dialect("yogi/corrected", "TensorFlow Addons", correction="both",
            note="Both moments are corrected for their bias, although the second one never "
                 "forgets where it started.")
    dialect("yogi/same-start", "torch_optimizer.Yogi; optax.yogi",
            correction="both", start="accumulator",
            note="The first moment starts at the initial accumulator too, so the first steps "
                 "lean towards smaller parameters.")
    dialect("yogi/decoupled", "pytorch_optimizer.Yogi", correction="both", start="accumulator",
            decay="decoupled", note="As same-start; the parameter decays first, by lr times "
                                    "weight_decay.")
