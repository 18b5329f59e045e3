"""Adam for sparse gradients: moments and parameters of lanes that no gradient names stay."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("sparse_adam", "Masked Adam for sparse gradients") as spec:
    lr = hyper("lr", 1e-3, domain="(0,inf)", latex=r"\gamma", probe=1 / 16,
               aliases=("learning_rate", "alpha", "step_size"), description="learning rate")
    beta1, beta2 = hyper(
        "betas", (0.9, 0.999), names=("beta1", "beta2"), domain="[0,1)",
        latex=(r"\beta_1", r"\beta_2"), probe=(7 / 8, 63 / 64),
        aliases=(("beta1", "beta_1", "b1"), ("beta2", "beta_2", "b2")),
        description="decay rates of the two moments")
    eps = hyper("eps", 1e-8, domain="(0,inf)", latex=r"\epsilon", probe=2**-20,
                aliases=("epsilon",), description="term that keeps the denominator away from zero")
    maximize = option("maximize", argument=True, description="ascend instead of descend")
    epsilon = option("epsilon", "hat", "outside", description="where eps stands in the denominator")
    signature("lr", "betas", "eps", "maximize")
    t = counter(tensor=False)
    m = state("m", "exp_avg", aliases=("mu", "m", "momentum", "first_moment"),
              description="first moment")
    v = state("v", "exp_avg_sq", aliases=("nu", "v", "second_moment"), description="second moment")
    g, d, size = local("g"), local("d"), local("step_size", r"\alpha")

    # Steps are counted for the whole tensor: a lane that returns is corrected as if it had been
    # there all the time.
    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    named = touched(theta)
    let("first_moment", m, where(named, beta1 * prev(m) + (1 - beta1) * g, prev(m)))
    let("second_moment", v, where(named, beta2 * prev(v) + (1 - beta2) * g**2, prev(v)))
    let("step_size", size, choose(
        epsilon, hat=lr * sqrt(1 - beta2**t) / (1 - beta1**t), outside=lr / (1 - beta1**t)))
    let("denominator", d, choose(
        epsilon, hat=sqrt(v) + eps, outside=sqrt(v / (1 - beta2**t)) + eps))
    let("update", theta, where(named, theta - size * m / d, theta))

    accept(dense=False, sparse=True, rows=True, complex=False)

    reference("Kingma and Ba, Adam: a method for stochastic optimization, "
              "ICLR 2015, algorithm 1 and the remark after it", "arXiv:1412.6980")

    dialect("sparseadam/torch", "torch.optim.SparseAdam", export="SparseAdam",
            note="Both corrections are folded into the step size: eps stands beside the raw root.")
    dialect("sparseadam/eps-outside", "arXiv:1412.6980, algorithm 1, masked", epsilon="outside",
            note="eps is added to the root of the corrected second moment, as in Adam.")
