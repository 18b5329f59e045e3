"""ASGD: gradient descent with a falling step size, and the average of its iterates."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("asgd", "ASGD: averaged stochastic gradient descent") as spec:
    lr = hyper("lr", 1e-2, domain="[0,inf)", latex=r"\gamma", probe=1 / 4,
               aliases=("learning_rate", "eta0"), description="learning rate of the first step")
    lambd = hyper("lambd", 1e-4, latex=r"\lambda", probe=1.5, aliases=("lambda_", "lam"),
                  description="decay of the parameter; also how fast the step size falls")
    alpha = hyper("alpha", 0.75, latex=r"\alpha", probe=0.75, aliases=("power",),
                  description="power at which the step size falls")
    t0 = hyper("t0", 1e6, latex="t_0", probe=4, aliases=("start",),
               description="step after which averaging begins")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\omega", probe=1 / 8,
               aliases=("wd", "decay", "weight_decay_rate"), description="L2 penalty, beside lambd")
    maximize = option("maximize", argument=True, description="ascend instead of descend")
    schedule = option("schedule", "lagged", "current",
                      description="step size and weight of the step before, or of this one")
    signature("lr", "lambd", "alpha", "t0", "weight_decay",
              "foreach", "maximize", "differentiable", "capturable")

    t = counter()
    eta = state("eta", "eta", init=lr, shape="scalar", latex=r"\eta", description="step size")
    mu = state("mu", "mu", init=1, shape="scalar", latex=r"\mu",
               description="weight of the iterate in the average")
    ax = state("ax", "ax", latex=r"\bar\theta", aliases=("average",),
               description="average of the iterates")
    view("eval", ax, description="the averaged parameters, which are to be evaluated")
    g, rate, share = local("g"), local("rate", r"\tilde\eta"), local("share", r"\tilde\mu")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    with when(~equal(wd, 0)):
        let("l2", g, g + wd * theta)
    let("step_size", eta, lr / (1 + lambd * lr * t) ** alpha)
    let("weight", mu, 1 / maximum(1, t - t0))
    let("rate", rate, choose(schedule, lagged=prev(eta), current=eta))
    let("share", share, choose(schedule, lagged=prev(mu), current=mu))
    let("decay", theta, theta - lambd * rate * theta)
    let("update", theta, theta - rate * g)
    let("average", ax, prev(ax) + share * (theta - prev(ax)))

    reference("Polyak and Juditsky, Acceleration of stochastic approximation by averaging, "
              "SIAM J. Control Optim. 30, 1992", "doi:10.1137/0330046")
    reference("Xu, Towards optimal one pass large scale learning with averaged stochastic gradient "
              "descent, 2011, section 4", "arXiv:1107.2490")

    dialect("asgd/torch", "torch.optim.ASGD", export="ASGD",
            note="Step size and weight are those that the step before left: the schedule lags.")
    dialect("asgd/paper", "arXiv:1107.2490", schedule="current",
            note="Step size and weight belong to the step that uses them.")
