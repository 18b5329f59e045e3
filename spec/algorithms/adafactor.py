"""Adafactor: second moments of a matrix as the product of a column and a row."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("adafactor", "Adafactor: adaptive rates with sublinear memory") as spec:
    lr = hyper("lr", 1e-2, domain="[0,inf)", latex=r"\gamma", probe=1 / 2,
               aliases=("learning_rate",), description="learning rate, or the largest of them")
    tau = hyper("beta2_decay", -0.8, name="tau", domain="(-inf,0]", latex=r"\tau", probe=-0.75,
                aliases=("decay_rate",), description="exponent of the second moment's decay")
    eps1, eps2 = hyper(
        "eps", (type_eps, 1e-3), names=("eps1", "eps2"), domain="[0,inf)",
        latex=(r"\epsilon_1", r"\epsilon_2"), probe=(2**-10, 1 / 8),
        description="terms that keep the second moment, and the step, away from zero")
    clip = hyper("d", 1.0, name="clip", domain="[1,inf)", latex="d", probe=1.0,
                 aliases=("clip_threshold",),
                 description="largest root mean square of an update")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd",), description="weight decay")
    beta1 = hyper("beta1", 0.9, domain="[0,1)", latex=r"\beta_1", probe=7 / 8,
                  aliases=("momentum",), description="decay rate of the update's average")
    cap = hyper("beta2_cap", 0.5, name="cap", domain="[0,1)", latex=r"\beta_2^{\max}", probe=1 / 2,
                aliases=("beta2",), description="largest decay rate of the second moment")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    epsilon = option("epsilon", "clamp", "squared",
                     description="where eps[0] acts: as the least value, or added to g^2")
    size = option("size", "relative", "warmup", "external",
                  description="where the step's size comes from")
    scaling = option("scaling", "rms", "none",
                     description="whether the parameter's size scales the step")
    decay = option("decay", "lr", "alpha", "unscaled", description="what scales the weight decay")
    rate = option("rate", "power", "capped", description="whether beta2 has an upper limit")
    average = option("average", "no", "yes", description="whether updates are averaged")
    signature("lr", "beta2_decay", "eps", "d", "weight_decay", "beta1", "beta2_cap", "*", "foreach",
              "maximize")
    t = counter()
    R = state("R", "row_var", shape="rows", when=ndim(theta) > 1,
              aliases=("exp_avg_sq_row",), description="second moment's row factor")
    C = state("C", "col_var", shape="cols", when=ndim(theta) > 1,
              aliases=("exp_avg_sq_col",), description="second moment's column factor")
    V = state("V", "variance", when=ndim(theta) <= 1,
              aliases=("exp_avg_sq",), description="second moment of a vector")
    m = state("m", "exp_avg", when=average == "yes", description="average of the updates")
    g, g2 = local("g"), local("g2", "g^2")
    weight, rho, alpha = local("weight", "w"), local("rho", r"\rho"), local("alpha", r"\alpha")
    v_hat, u = local("v_hat", r"\hat V"), local("u")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    let("weight", weight, choose(rate, power=t**tau, capped=maximum(t**tau, 1 - cap)))
    let("size", rho, choose(
        size, relative=minimum(lr, 1 / sqrt(t)), warmup=minimum(lr * t, 1 / sqrt(t)),
        external=lr))
    let("scale", alpha, choose(scaling, rms=maximum(eps2, rms(theta)) * rho, none=rho))
    let("decay", theta, choose(
        decay, lr=theta - lr * wd * theta, alpha=theta - alpha * wd * theta,
        unscaled=theta - wd * theta))
    let("square", g2, choose(epsilon, clamp=g**2, squared=g**2 + eps1))
    with when(ndim(theta) > 1):
        let("row_factor", R, (1 - weight) * prev(R) + weight * row_mean(g2))
        let("column_factor", C, (1 - weight) * prev(C) + weight * col_mean(g2))
        let("second_moment", v_hat, choose(
            epsilon, clamp=R * C / maximum(col_mean(R), eps1), squared=R * C / col_mean(R)))
    with otherwise():
        let("vector", V, (1 - weight) * prev(V) + weight * g2)
        let("second_moment", v_hat, V, form="vector")
    let("direction", u, choose(
        epsilon, clamp=g / sqrt(maximum(v_hat, eps1**2)), squared=g / sqrt(v_hat)))
    let("clipping", u, u / maximum(1, rms(u) / clip))
    with when(average == "no"):
        let("update", theta, theta - alpha * u)
    with otherwise():
        let("average", m, beta1 * prev(m) + (1 - beta1) * alpha * u)
        let("update", theta, theta - m, form="average")

    exclude(beta1, average == "no", "nothing is averaged")
    exclude(cap, rate == "power", "beta2 has no limit")
    exclude(eps2, scaling == "none", "the parameter's size does not scale the step")

    reference("Shazeer and Stern, Adafactor: adaptive learning rates with sublinear memory cost, "
              "ICML 2018, algorithms 4 and 5", "arXiv:1804.04235")
    reference("Zhai et al., Scaling vision transformers, CVPR 2022, section 3.4",
              "arXiv:2106.04560")

    dialect("adafactor/torch", "torch.optim.Adafactor", export="Adafactor",
            note="eps[0] bounds the second moment from below; weight decay goes by lr.")
    dialect("adafactor/paper", "arXiv:1804.04235, algorithms 4 and 5",
            epsilon="squared", decay="alpha", defaults={"eps1": 1e-30},
            note="eps[0] is added to the squared gradient; weight decay, which the paper does not "
                 "have, goes by the whole step size as in transformers and fairseq.")
    dialect("adafactor/warmup", "transformers, fairseq: warmup_init=True",
            epsilon="squared", decay="alpha", size="warmup",
            defaults={"eps1": 1e-30, "lr": 1e-6},
            note="The relative step grows with the steps, lr being what it grows by.")
    dialect("adafactor/external", "transformers, fairseq: relative_step=False",
            epsilon="squared", decay="alpha", size="external", defaults={"eps1": 1e-30, "lr": 1e-3},
            note="The step is lr, scaled by the parameter's size.")
    dialect("adafactor/unscaled", "relative_step=False, scale_parameter=False",
            epsilon="squared", decay="alpha", size="external", scaling="none",
            defaults={"eps1": 1e-30, "lr": 1e-3},
            note="The step is lr.")
    dialect("adafactor/average", "transformers, fairseq: beta1=0.9",
            epsilon="squared", decay="alpha", average="yes", defaults={"eps1": 1e-30},
            note="What moves the parameter is an average of updates, steps included.")
    dialect("adafactor/capped", "pytorch_optimizer.AdaFactor; arXiv:2106.04560",
            epsilon="squared", decay="alpha", average="yes", rate="capped",
            defaults={"eps1": 1e-30, "cap": 0.999},
            note="As average, with a second moment that forgets at least as fast as beta2_cap.")
    dialect("adafactor/decay-unscaled", "pytorch_optimizer.AdaFactor(fixed_decay=True)",
            epsilon="squared", decay="unscaled", average="yes", rate="capped",
            defaults={"eps1": 1e-30, "cap": 0.999},
            note="As capped, where nothing scales the weight decay.")
