"""Heun: two gradients in one step, the second at the predicted point."""

from __future__ import annotations

from instep.spec.author import algorithm, grad, hyper, let, local, theta

with algorithm("heun", "Heun's method on the gradient flow") as spec:
    lr = hyper("lr", 1e-2)
    g1, g2 = local("g1"), local("g2")

    let("first_gradient", g1, grad(theta))
    let("predictor", theta, theta - lr * g1)
    let("second_gradient", g2, grad(theta))
    let("corrector", theta, theta - lr / 2 * (g2 - g1))
