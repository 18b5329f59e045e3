"""Heun's method: a step of gradient descent, corrected by the gradient where it leads."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("heun", "Heun's method on the gradient flow") as spec:
    lr = hyper("lr", 1e-2, domain="[0,inf)", latex=r"\gamma", probe=1 / 16,
               aliases=("learning_rate", "alpha", "step_size", "h"),
               description="learning rate, the step size of the method")
    maximize = option("maximize", argument=True, keyword_only=True,
                      description="ascend instead of descend")
    g1, g2 = local("g1", "g_1"), local("g2", "g_2")

    let("first_gradient", g1, choose(maximize, yes=-grad(theta), no=grad(theta)))
    let("predictor", theta, theta - lr * g1)
    let("second_gradient", g2, choose(maximize, yes=-grad(theta), no=grad(theta)))
    let("corrector", theta, theta - lr / 2 * (g2 - g1))

    reference("Heun, Neue Methoden zur approximativen Integration der Differentialgleichungen "
              "einer unabhaengigen Veraenderlichen, 1900; as in Hairer, Norsett and Wanner, "
              "Solving ordinary differential equations I, 1993, section II.1",
              "doi:10.1007/978-3-540-78862-1")
    reference("Sueli and Mayers, An introduction to numerical analysis, 2003, section 12.2: "
              "the improved Euler method", "doi:10.1017/CBO9780511801181")

    dialect("heun/paper", "Heun 1900; the trapezoidal rule with a predicted end point",
            export="Heun",
            note="A step calls the closure twice: at the parameters, and at the predicted point.")
