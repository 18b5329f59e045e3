"""Rprop: a step size for every lane, which signs of the gradient alone adapt."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("rprop", "Rprop: resilient backpropagation") as spec:
    lr = hyper("lr", 1e-2, domain="[0,inf)", latex=r"\gamma", probe=1 / 16,
               aliases=("learning_rate", "init_lr", "delta_0"), description="first step size")
    shrink, grow = hyper(
        "etas", (0.5, 1.2), names=("shrink", "grow"), domain=("(0,1)", "(1,inf)"),
        latex=(r"\eta_-", r"\eta_+"), probe=(0.5, 1.25),
        aliases=(("eta_minus", "etaminus"), ("eta_plus", "etaplus")),
        description="factors of the step size when the sign turns, and when it stays")
    smallest, largest = hyper(
        "step_sizes", (1e-6, 50.0), names=("smallest", "largest"),
        latex=(r"\Delta_{\min}", r"\Delta_{\max}"), probe=(2**-5, 0.125),
        aliases=(("min_step_size", "step_size_min"), ("max_step_size", "step_size_max")),
        description="limits of the step size")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    turn = option("turn", "stop", "go", "back",
                  description="where the sign turns: no step, a shorter one, or the last undone")
    signature("lr", "etas", "step_sizes", "*",
              "capturable", "foreach", "maximize", "differentiable")

    t = counter()
    g_last = state("g_last", "prev", latex="g^{-}", aliases=("prev_grad", "last_grad"),
                   description="the last gradient, 0 where its sign had turned")
    z = state("z", "step_size", init=lr, latex=r"\Delta", aliases=("step_sizes", "delta"),
              description="step size")
    u = state("u", "last_update", when=turn == "back", description="the last update")
    g, s, f = local("g"), local("s"), local("f")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    let("agreement", s, sign(g * prev(g_last)))
    let("factor", f, where(s > 0, grow, where(s < 0, shrink, 1)))
    let("step_size", z, minimum(maximum(prev(z) * f, smallest), largest))
    with when(turn == "go"):
        let("last_gradient", g_last, g, form="as_it_is")
        let("update", theta, theta - sign(g) * z, form="always")
    with otherwise():
        let("last_gradient", g_last, where(s < 0, 0, g))
        with when(turn == "stop"):
            let("update", theta, theta - sign(g_last) * z)
        with otherwise():
            let("last_update", u, where(s < 0, -prev(u), -sign(g) * z))
            let("update", theta, theta + u, form="or_undo")

    reference("Riedmiller and Braun, A direct adaptive method for faster backpropagation learning: "
              "the RPROP algorithm, ICNN 1993", "doi:10.1109/ICNN.1993.298623")
    reference("Igel and Huesken, Improving the Rprop learning algorithm, NC 2000",
              "doi:10.1016/S0925-2312(01)00700-7")

    dialect("rprop/torch", "torch.optim.Rprop; Igel and Huesken, iRprop-", export="Rprop",
            note="Where the sign turns the gradient is taken for 0: no step now, no change next.")
    dialect("rprop/minus", "Igel and Huesken, Rprop-", turn="go",
            note="Where the sign turns the step is shorter, and goes the new way at once.")
    dialect("rprop/paper", "Riedmiller and Braun 1993 (Rprop+)", turn="back",
            note="Where the sign turns the last update is undone: weight backtracking.")
