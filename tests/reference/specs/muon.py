"""Muon: a loop of matrix products, branches on the shape."""

from __future__ import annotations

from instep.spec.author import (
    algorithm,
    cols,
    equal,
    grad,
    hyper,
    let,
    local,
    matmul,
    maximum,
    ndim,
    norm,
    prev,
    repeat,
    require,
    rows,
    sqrt,
    state,
    theta,
    transpose,
    when,
)

with algorithm("muon", "Muon: momentum orthogonalised by Newton-Schulz") as spec:
    lr, mu, eps = hyper("lr", 1e-3), hyper("momentum", 0.95), hyper("eps", 1e-7)
    rounds = hyper("ns_steps", 5, domain="Z[1,inf)")
    a, b, c = hyper("ns_coefficients", (3.4445, -4.775, 2.0315), names=("a", "b", "c"))
    M = state("M", "momentum_buffer")
    g, X, Y, k = local("g"), local("X"), local("Y"), local("k")

    require(equal(ndim(theta), 2), "it takes matrices")
    let("gradient", g, grad(theta))
    let("momentum", M, mu * prev(M) + (1 - mu) * g)
    let("orient", X, M)
    with when(rows(theta) > cols(theta)):
        let("orient", X, transpose(M), form="wide")
    let("normalise", X, X / maximum(norm(X), eps))
    with repeat(rounds):
        let("gram", Y, matmul(X, transpose(X)))
        let("polynomial", Y, b * Y + c * matmul(Y, Y))
        let("newton_schulz", X, a * X + matmul(Y, X))
    with when(rows(theta) > cols(theta)):
        let("orient", X, transpose(X), form="back")
    let("scale", k, sqrt(maximum(1, rows(theta) / cols(theta))))
    let("update", theta, theta - lr * k * X)
