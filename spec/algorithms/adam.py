"""Adam, AMSGrad and AdamW: one body; the names are dialects."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("adam", "Adam: adaptive moment estimation") as spec:
    lr = hyper("lr", 1e-3, domain="[0,inf)", latex=r"\gamma", probe=1 / 16,
               aliases=("learning_rate", "alpha", "step_size"), description="learning rate")
    beta1, beta2 = hyper(
        "betas", (0.9, 0.999), names=("beta1", "beta2"), domain="[0,1)",
        latex=(r"\beta_1", r"\beta_2"), probe=(7 / 8, 63 / 64),
        aliases=(("beta1", "beta_1", "b1"), ("beta2", "beta_2", "b2")),
        description="decay rates of the two moments")
    eps = hyper("eps", 1e-8, domain="[0,inf)", latex=r"\epsilon", probe=2**-20,
                aliases=("epsilon",), description="term that keeps the denominator away from zero")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay", "weight_decay_rate"), description="weight decay")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    amsgrad = option("amsgrad", "no", "raw", "corrected", argument=True,
                     spelling={False: "no", True: "raw"},
                     description="keep the largest second moment: none, the raw, the corrected one")
    max_lr = hyper("max_lr", 1e-3, domain="(0,inf)", latex=r"\gamma_{\max}", probe=1 / 8,
                   aliases=("lr_max",), description="largest learning rate of the schedule")
    decay = option("decay", "l2", "decoupled", "after", "unscaled", "relative", "corrected",
                   description="how weight decays",
                   argument="decoupled_weight_decay", keyword_only=True,
                   spelling={False: "l2", True: "decoupled"})
    epsilon = option("epsilon", "outside", "hat", "inside", "hat_inside", "clamp",
                     description="where eps stands in the denominator")
    correction = option("correction", "both", "first", "second", "none",
                        description="which moments are corrected for their bias")
    t = counter()
    m = state("m", "exp_avg", aliases=("mu", "m", "momentum", "first_moment"),
              description="first moment")
    v = state("v", "exp_avg_sq", aliases=("nu", "v", "second_moment"), description="second moment")
    v_max = state("v_max", "max_exp_avg_sq", when=~(amsgrad == "no"), latex=r"v^{\max}",
                  aliases=("nu_max", "vhat", "max_v"), description="largest second moment so far")
    g = local("g")
    m_hat, v_hat = local("m_hat", r"\hat m"), local("v_hat", r"\hat v")
    size, d = local("step_size", r"\alpha"), local("d")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    with when(decay == "l2"), when(~equal(wd, 0)):
        let("l2", g, g + wd * theta)
    with when(decay == "decoupled"):
        let("decay", theta, theta - lr * wd * theta, form="decoupled")
    with when(decay == "unscaled"):
        let("decay", theta, theta - wd * theta, form="unscaled")
    with when(decay == "relative"):
        let("decay", theta, theta - lr / max_lr * wd * theta, form="relative")
    with when(decay == "corrected"):
        let("decay", theta, theta - lr**2 / max_lr * wd * theta, form="corrected")

    let("first_moment", m, beta1 * prev(m) + (1 - beta1) * g)
    let("second_moment", v, beta2 * prev(v) + (1 - beta2) * g**2)
    with when(amsgrad == "raw"):
        let("maximum", v_max, maximum(prev(v_max), v), form="raw")

    c1, c2 = 1 - beta1**t, 1 - beta2**t
    folded = (epsilon == "hat") | (epsilon == "hat_inside")
    with when(folded):
        let("step_size", size, choose(
            correction, both=lr * sqrt(c2) / c1, first=lr / c1, second=lr * sqrt(c2), none=lr))
        with when(amsgrad == "raw"):
            let("denominator", d, choose(
                epsilon, hat_inside=sqrt(v_max + eps), otherwise=sqrt(v_max) + eps), form="hat")
        with otherwise():
            let("denominator", d, choose(
                epsilon, hat_inside=sqrt(v + eps), otherwise=sqrt(v) + eps), form="hat")
        let("update", theta, theta - size * m / d, form="folded")
    with otherwise():
        let("first_correction", m_hat, choose(
            correction, both=m / c1, first=m / c1, second=m, none=m))
        with when(amsgrad == "raw"):
            let("second_correction", v_hat, choose(
                correction, both=v_max / c2, first=v_max, second=v_max / c2, none=v_max))
        with otherwise():
            let("second_correction", v_hat, choose(
                correction, both=v / c2, first=v, second=v / c2, none=v))
        with when(amsgrad == "corrected"):
            let("maximum", v_max, maximum(prev(v_max), v_hat), form="corrected")
            let("second_correction", v_hat, v_max, form="largest")
        let("denominator", d, choose(
            epsilon, inside=sqrt(v_hat + eps), clamp=maximum(sqrt(v_hat), eps),
            otherwise=sqrt(v_hat) + eps))
        let("update", theta, theta - lr * m_hat / d)
    with when(decay == "after"):
        let("decay", theta, theta - lr * wd * theta, form="after")

    require(~(folded & (amsgrad == "corrected")),
            "the folded form has no corrected second moment to take the maximum of")

    exclude(max_lr, ~((decay == "relative") | (decay == "corrected")),
            "only decay relative to the largest learning rate needs it")

    reference("Kingma and Ba, Adam: a method for stochastic optimization, "
              "ICLR 2015, algorithm 1", "arXiv:1412.6980")
    reference("Reddi, Kale and Kumar, On the convergence of Adam and beyond, "
              "ICLR 2018, algorithm 2", "arXiv:1904.09237")
    reference("Loshchilov and Hutter, Decoupled weight decay regularization, "
              "ICLR 2019, algorithm 2", "arXiv:1711.05101")
    reference("Defazio, Why gradients rapidly increase near the end of training, 2025, "
              "algorithm 1", "arXiv:2506.02285")

    dialect("adam/paper", "arXiv:1412.6980, algorithm 1; torch.optim.Adam", export="Adam",
            note="eps is added to the root of the corrected second moment.")
    dialect("adam/eps-hat", "arXiv:1412.6980, end of section 2; TensorFlow",
            epsilon="hat", defaults={"eps": 1e-7},
            note="Both corrections are folded into the step size: eps weighs more in early steps.")
    dialect("adam/eps-inside", "eps under the root", epsilon="inside",
            note="eps is added to the second moment, so it acts with its square root.")
    dialect("adam/eps-hat-inside", "eps under the root, both corrections folded",
            epsilon="hat_inside",
            note="eps is added to the uncorrected second moment: it weighs most in early steps.")
    dialect("adam/eps-clamp", "eps as a lower limit", epsilon="clamp",
            note="The denominator is never below eps, and exact above it.")
    dialect("adam/no-bias-correction", "moments used as they are", correction="none",
            note="The first steps are shorter by (1 - beta1) / sqrt(1 - beta2).")
    dialect("amsgrad/torch", "torch.optim.Adam(amsgrad=True)", amsgrad="raw",
            note="The maximum is taken over the second moment before its correction.")
    dialect("amsgrad/corrected", "optax.amsgrad", amsgrad="corrected",
            note="The maximum is taken over the corrected second moment.")
    dialect("adamw/torch", "arXiv:1711.05101, algorithm 2; torch.optim.AdamW", export="AdamW",
            decay="decoupled", defaults={"weight_decay": 1e-2},
            note="The parameter decays first, by lr times weight_decay.")
    dialect("adamw/decay-after", "decay of the updated parameter",
            decay="after", defaults={"weight_decay": 1e-2},
            note="The parameter decays last, so the decay also shrinks the update.")
    dialect("adamw/decay-unscaled", "arXiv:1711.05101, algorithm 2, with eta_t alone",
            decay="unscaled", defaults={"weight_decay": 1e-2},
            note="The learning rate does not scale the decay.")
    dialect("adamw/keras", "keras.optimizers.AdamW", epsilon="hat", decay="decoupled",
            defaults={"eps": 1e-7, "weight_decay": 4e-3},
            note="Decay before, then a folded step size: eps weighs more in early steps.")
    dialect("adamw/hugging-face", "the listing of transformers before version 5",
            epsilon="hat", decay="after", defaults={"eps": 1e-6},
            note="Folded step size, eps-hat, and decay of the updated parameter.")
    dialect("adamw/bert", "the same listing with correct_bias=False",
            epsilon="hat", correction="none", decay="after", defaults={"eps": 1e-6},
            note="As hugging-face, without bias correction.")
    dialect("adamw/decay-relative", "arXiv:1711.05101, algorithm 2, with eta_t = lr / max_lr",
            decay="relative", defaults={"weight_decay": 1e-5},
            note="Decay is scaled by the schedule alone, not by the size of the learning rate.")
    dialect("adamc/paper", "arXiv:2506.02285, algorithm 1", decay="corrected", export="AdamC",
            defaults={"weight_decay": 1e-2},
            note="For layers before a normalization: decay is scaled by lr squared over max_lr, so "
                 "that their gradients do not grow as the learning rate falls. Give all other "
                 "parameters to AdamW.")
