"""Scion: steps to where a linear function is smallest within a ball of an operator norm."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("scion", "Scion: stochastic conditional gradient with operator norms") as spec:
    lr = hyper("lr", 1e-3, domain="[0,inf)", latex=r"\gamma", probe=1 / 16,
               aliases=("learning_rate", "step_size"), description="learning rate")
    alpha = hyper("momentum", 0.1, name="alpha", domain="(0,1]", latex=r"\alpha", probe=1 / 4,
                  description="weight of the present gradient in the momentum")
    rho = hyper("scale", 1.0, name="rho", domain="(0,inf)", latex=r"\rho", probe=3 / 2,
                aliases=("radius",), description="radius of the ball")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay"), description="weight decay")
    a, b, c = hyper(
        "ns_coefficients", (3.4445, -4.775, 2.0315), names=("a", "b", "c"),
        probe=(55 / 16, -19 / 4, 65 / 32),
        description="coefficients of the polynomial in one round of Newton-Schulz")
    rounds = hyper("ns_steps", 5, domain="Z[1,99]", latex="K", probe=3,
                   aliases=("num_steps", "steps"), description="rounds of Newton-Schulz")
    eps = hyper("eps", 1e-8, domain="[0,inf)", latex=r"\epsilon", probe=2**-20,
                aliases=("epsilon",),
                description="term that keeps a vector's root mean square away from zero")
    ns_eps = hyper("ns_eps", 1e-7, domain="[0,inf)", latex=r"\epsilon_K", probe=2**-18,
                   description="term that keeps the norm away from zero in Newton-Schulz")
    unconstrained = option("unconstrained", False, True, argument=True,
                           description="step along the direction, not towards it")
    fan = option("fan", "ratio", "at_least_one", "rows",
                 description="how the ball depends on the shape of the matrix")
    floor = option("floor", "added", "clamp", description="how ns_eps keeps the norm from zero")
    M = state("M", "momentum_buffer", aliases=("d", "momentum", "exp_avg", "buf"),
              description="momentum")
    g, X, A, B = local("g"), local("X"), local("A"), local("B")
    D, k = local("D"), local("k", r"\kappa")

    let("gradient", g, grad(theta))
    let("momentum", M, (1 - alpha) * prev(M) + alpha * g)
    with when(equal(ndim(theta), 2)):
        with precision("orthogonalise", "bfloat16"):
            with when(rows(theta) > cols(theta)):
                let("orient", X, transpose(M), form="tall")
            with otherwise():
                let("orient", X, M, form="wide")
            let("normalise", X, choose(
                floor, added=X / (norm(X) + ns_eps), clamp=X / maximum(norm(X), ns_eps)))
            with repeat(rounds):
                let("gram", A, matmul(X, transpose(X)))
                let("polynomial", B, b * A + c * matmul(A, A))
                let("newton_schulz", X, a * X + matmul(B, X))
            with when(rows(theta) > cols(theta)):
                let("orient", X, transpose(X), form="back")
        let("fan", k, choose(
            fan, ratio=sqrt(rows(theta) / cols(theta)),
            at_least_one=sqrt(maximum(1, rows(theta) / cols(theta))), rows=sqrt(rows(theta))))
        let("direction", D, k * X, form="spectral")
    with otherwise():
        let("direction", D, M / (rms(M) + eps), form="rms")
    with when(unconstrained):
        let("decay", theta, theta - lr * wd * theta, form="weight_decay")
    with otherwise():
        let("decay", theta, (1 - lr) * theta, form="shrink")
    let("update", theta, theta - lr * rho * D)

    require(ndim(theta) < 3, "Scion takes parameters of at most 2 dimensions")
    exclude(wd, ~unconstrained, "the constraint alone decays the weights")

    reference("Pethick et al., Training deep learning models with norm-constrained LMOs, "
              "ICML 2025, algorithms 1 and 2", "arXiv:2502.07529")

    dialect("scion/paper", "arXiv:2502.07529, algorithm 2", export="Scion",
            note="The parameter moves towards the ball's furthest point and so stays within the "
                 "ball; vectors move by their root mean square.")
    dialect("scion/unconstrained", "arXiv:2502.07529, algorithm 1", unconstrained=True,
            note="The parameter moves along the direction, and weight decay is its own affair.")
    dialect("scion/at-least-one", "github.com/LIONS-EPFL/scion, Spectral(max=True)",
            fan="at_least_one",
            note="The ball of a matrix with more columns than rows is not smaller than one.")
    dialect("scion/input", "github.com/LIONS-EPFL/scion, Spectral(normalized=False)",
            fan="rows",
            note="For the first layer: the number of columns does not count.")
    dialect("scion/clamped", "pytorch_optimizer.SCION(constraint=True)", floor="clamp",
            note="ns_eps is the least that Newton-Schulz divides by.")
    dialect("scion/clamped-unconstrained", "pytorch_optimizer.SCION",
            unconstrained=True, floor="clamp",
            note="Algorithm 1; ns_eps is the least that Newton-Schulz divides by.")
