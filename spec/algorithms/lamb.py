"""LAMB: the direction of Adam, scaled layer by layer by a ratio of norms."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("lamb", "LAMB: layerwise adaptive moments for large batches") as spec:
    lr = hyper("lr", 1e-3, domain="[0,inf)", latex=r"\eta", probe=1 / 16,
               aliases=("learning_rate", "alpha"), description="learning rate")
    beta1, beta2 = hyper(
        "betas", (0.9, 0.999), names=("beta1", "beta2"), domain="[0,1)",
        latex=(r"\beta_1", r"\beta_2"), probe=(7 / 8, 63 / 64),
        aliases=(("beta1", "beta_1", "b1"), ("beta2", "beta_2", "b2")),
        description="decay rates of the two moments")
    eps = hyper("eps", 1e-6, domain="[0,inf)", latex=r"\epsilon", probe=2**-10,
                aliases=("epsilon",), description="term that keeps the denominator away from zero")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay"), description="weight decay")
    clamp = hyper("clamp_value", 10.0, name="clamp", domain="[0,inf)", probe=8.0,
                  latex=r"\phi_{\max}",
                  aliases=("clamp", "max_weight_norm"),
                  description="largest norm of a parameter that counts")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    correction = option("correction", "inside", "outside", "first", "none",
                        description="what corrects the bias: moments in the direction, the step "
                                    "for both, the step for the first, nothing")
    decay = option("decay", "inside", "decoupled", description="how weight decays")
    scaling = option("scaling", "plain", "clamped",
                     description="the function of a parameter's norm that the ratio takes")
    floor = option("floor", "no", "eps", description="what is added to the direction's norm")
    adapt = option("adapt", "always", "with-decay",
                   description="whether parameters that do not decay keep the ratio one")
    t = counter()
    m = state("m", "exp_avg", aliases=("mu", "m"), description="first moment")
    v = state("v", "exp_avg_sq", aliases=("nu", "v"), description="second moment")
    g, r, ratio = local("g"), local("r"), local("trust_ratio", r"\rho")
    m_hat, v_hat = local("m_hat", r"\hat m"), local("v_hat", r"\hat v")
    size = local("step_size", r"\alpha")
    w_norm, r_norm = local("weight_norm", r"\phi"), local("direction_norm", r"\|r\|")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    with when(decay == "decoupled"):
        let("decay", theta, theta - lr * wd * theta)
    let("first_moment", m, beta1 * prev(m) + (1 - beta1) * g)
    let("second_moment", v, beta2 * prev(v) + (1 - beta2) * g**2)
    c1, c2 = 1 - beta1**t, 1 - beta2**t
    let("first_correction", m_hat, choose(correction, inside=m / c1, otherwise=m))
    let("second_correction", v_hat, choose(correction, inside=v / c2, otherwise=v))
    let("direction", r, choose(
        decay, inside=m_hat / (sqrt(v_hat) + eps) + wd * theta,
        decoupled=m_hat / (sqrt(v_hat) + eps)))
    let("weight_norm", w_norm, choose(
        scaling, plain=norm(theta), clamped=minimum(norm(theta), clamp)))
    let("direction_norm", r_norm, norm(r))
    both = holds(w_norm > 0) & (r_norm > 0)
    let("trust_ratio", ratio, choose(
        floor, no=where(both, w_norm / r_norm, 1), eps=where(both, w_norm / (r_norm + eps), 1)))
    with when(adapt == "always"):
        let("scaled_direction", r, ratio * r)
    with otherwise(), when(~equal(wd, 0)):
        let("scaled_direction", r, ratio * r)
    let("step_size", size, choose(
        correction, outside=lr * sqrt(c2) / c1, first=lr / c1, otherwise=lr))
    let("update", theta, theta - size * r)

    exclude(clamp, scaling == "plain", "the norm of the parameter is taken as it is")

    reference("You et al., Large batch optimization for deep learning: training BERT in 76 "
              "minutes, ICLR 2020, algorithm 2", "arXiv:1904.00962")

    dialect("lamb/paper", "arXiv:1904.00962, algorithm 2", export="LAMB",
            note="The ratio is taken of the corrected direction with the decay in it; a norm of "
                 "zero makes it one.")
    dialect("lamb/clamped", "torch_optimizer.Lamb; version 3 of the paper",
            correction="none", scaling="clamped",
            note="No correction, and a parameter's norm counts up to 10.")
    dialect("lamb/correction-outside", "torch_optimizer.Lamb(debias=True)",
            correction="outside", scaling="clamped",
            note="The correction multiplies the step and is not in the ratio.")
    dialect("lamb/decoupled", "pytorch_optimizer.Lamb",
            correction="first", scaling="clamped", decay="decoupled", floor="eps",
            note="The parameter decays first and outside of the ratio, whose denominator has eps "
                 "too; the step is corrected for the first moment alone.")
    dialect("lamb/decay-inside", "pytorch_optimizer.Lamb(weight_decouple=False)",
            correction="first", scaling="clamped", floor="eps",
            note="As decoupled, with the decay in the direction.")
    dialect("lamb/with-decay", "timm.optim.Lamb without its gradient clipping",
            adapt="with-decay",
            note="Parameters without weight decay take the plain step of Adam.")
