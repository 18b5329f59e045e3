"""AdaGrad: gradients divided by the root of the sum of their squares."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("adagrad", "AdaGrad: adaptive subgradient method",
               state_from="construction") as spec:
    lr = hyper("lr", 1e-2, domain="[0,inf)", latex=r"\gamma", probe=1 / 16,
               aliases=("learning_rate", "alpha", "step_size"), description="learning rate")
    lr_decay = hyper("lr_decay", 0.0, domain="[0,inf)", latex=r"\eta", probe=1 / 4,
                     description="by how much of itself the learning rate shrinks in a step")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay", "l2"), description="L2 penalty")
    start = hyper("initial_accumulator_value", 0.0, name="start", domain="[0,inf)", latex=r"\tau",
                  probe=1 / 16, aliases=("initial_accumulator",),
                  description="what the sum of squares starts at")
    eps = hyper("eps", 1e-10, domain="[0,inf)", latex=r"\epsilon", probe=2**-8,
                aliases=("epsilon",), description="term that keeps the denominator away from zero")
    maximize = option("maximize", argument=True, description="ascend instead of descend")
    epsilon = option("epsilon", "outside", "inside", description="where eps stands at the root")
    signature("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps", "foreach", "*",
              "maximize", "differentiable", "fused")

    t = counter()
    s = state("s", "sum", init=start, description="sum of squared gradients",
              aliases=("accumulator", "sum_of_squares", "square_sum", "moment"))
    g, d, rate = local("g"), local("d"), local("lr_t", r"\gamma_t")

    let("gradient", g, choose(maximize, yes=-grad(theta), no=grad(theta)))
    with when(~equal(wd, 0)):
        let("l2", g, g + wd * theta)
    let("rate", rate, lr / (1 + (t - 1) * lr_decay))
    let("sum_of_squares", s, prev(s) + g**2)
    let("denominator", d, choose(epsilon, outside=sqrt(s) + eps, inside=sqrt(s + eps)))
    let("update", theta, theta - rate * g / d)

    accept(sparse=equal(wd, 0), rows=True,
           reason="weight_decay option is not compatible with sparse gradients")

    reference("Duchi, Hazan and Singer, Adaptive subgradient methods for online learning and "
              "stochastic optimization, JMLR 12, 2011, figure 1",
              "https://jmlr.org/papers/v12/duchi11a.html")

    dialect("adagrad/torch", "torch.optim.Adagrad", export="Adagrad",
            note="eps is added to the root, as the paper adds delta; the sum starts at 0.")
    dialect("adagrad/keras", "keras.optimizers.Adagrad", epsilon="inside",
            defaults={"lr": 1e-3, "start": 0.1, "eps": 1e-7},
            note="eps stands under the root; the sum starts at 0.1, so first steps are shorter.")
    dialect("adagrad/optax", "optax.adagrad", epsilon="inside",
            defaults={"start": 0.1, "eps": 1e-7},
            note="As keras; only the defaults differ.")
    dialect("adagrad/tf1", "tf.compat.v1.train.AdagradOptimizer", epsilon="inside",
            defaults={"start": 0.1, "eps": 0.0},
            note="No eps: a sum that starts above 0 keeps the denominator away from it.")
