"""ADOPT: the gradient is normalized by the second moment of those before it."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("adopt", "ADOPT: adaptive gradients that converge with any beta2") as spec:
    lr = hyper("lr", 1e-3, domain="[0,inf)", latex=r"\alpha", probe=1 / 16,
               aliases=("learning_rate", "alpha", "step_size"), description="learning rate")
    beta1, beta2 = hyper(
        "betas", (0.9, 0.9999), names=("beta1", "beta2"), domain="[0,1)",
        latex=(r"\beta_1", r"\beta_2"), probe=(7 / 8, 63 / 64),
        aliases=(("beta1", "beta_1", "b1"), ("beta2", "beta_2", "b2")),
        description="decay rates of the two moments")
    eps = hyper("eps", 1e-6, domain="[0,inf)", latex=r"\epsilon", probe=2**-12,
                aliases=("epsilon",), description="least value of the denominator")
    power = hyper("clip_exp", 0.25, name="power", domain="[0,inf)", latex="q", probe=0.5,
                  aliases=("clip_exponent",),
                  description="power of the number of steps that lanes are clipped to")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay", "weight_decay_rate"), description="weight decay")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    clip = option("clip", "updates", "steps", "none",
                  description="what the clipping counts: updates, steps, or there is none")
    decay = option("decay", "l2", "decoupled", description="how weight decays")
    early = option("decays_first", description="whether the step without update decays too")
    t = counter()
    m = state("m", "exp_avg", aliases=("m", "mu", "momentum"), description="momentum")
    v = state("v", "exp_avg_sq", aliases=("v", "nu"), description="second moment")
    g, n, c = local("g"), local("n"), local("c")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    with when(decay == "l2"):
        let("l2", g, g + wd * theta)
    with when((decay == "decoupled") & early):
        let("decay", theta, theta - lr * wd * theta, form="always")
    with when(equal(t, 1)):
        let("second_moment", v, g**2, form="first")
    with otherwise():
        with when((decay == "decoupled") & ~early):
            let("decay", theta, theta - lr * wd * theta)
        let("normalized", n, g / maximum(sqrt(prev(v)), eps))
        with when(~(clip == "none")):
            let("clip", c, choose(clip, steps=t**power, otherwise=(t - 1)**power))
            let("normalized", n, maximum(minimum(n, c), -c), form="clipped")
        let("first_moment", m, beta1 * prev(m) + (1 - beta1) * n)
        let("update", theta, theta - lr * m)
        let("second_moment", v, beta2 * prev(v) + (1 - beta2) * g**2)

    exclude(power, clip == "none", "nothing is clipped")
    require(~early | (decay == "decoupled"), "decays_first needs decoupled decay")

    reference("Taniguchi et al., ADOPT: modified Adam can converge with any beta2 with the "
              "optimal rate, NeurIPS 2024, algorithm 2", "arXiv:2411.02853")

    dialect("adopt/paper", "arXiv:2411.02853, algorithm 2; the authors' release", export="ADOPT",
            note="The first step only starts the second moment; lanes are clipped to the number "
                 "of updates before, to the power 1/4, so the first update is one of signs.")
    dialect("adopt/decoupled", "the authors' release with decouple=True", decay="decoupled",
            note="The parameter decays by lr times weight_decay, but not in the first step.")
    dialect("adopt/unclipped", "the authors' first release", clip="none",
            note="Without clipping, one small first gradient makes the next step large.")
    dialect("adopt/late-clip", "pytorch_optimizer.ADOPT", clip="steps",
            note="The clipping counts steps instead of updates: 2, 3, 4 where the paper has 1, 2, "
                 "3.")
    dialect("adopt/late-clip-decoupled", "pytorch_optimizer.ADOPT(weight_decouple=True)",
            clip="steps", decay="decoupled", decays_first=True,
            note="As late-clip, and the parameter decays in the first step too.")
    dialect("adopt/third-power", "timm.optim.Adopt", defaults={"power": 0.333},
            note="Clipped to the power 0.333 of the number of updates.")
