"""NorMuon: Muon whose rows are brought to a common size before they are applied."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("normuon", "NorMuon: Muon with a second moment for every row") as spec:
    lr = hyper("lr", 0.02, domain="[0,inf)", latex=r"\gamma", probe=1 / 16,
               aliases=("learning_rate", "step_size"), description="learning rate")
    wd = hyper("weight_decay", 0.0, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay"), description="weight decay")
    mu = hyper("momentum", 0.95, domain="[0,1)", latex=r"\mu", probe=7 / 8,
               aliases=("beta1", "beta", "mu"), description="decay rate of the momentum")
    beta2 = hyper("beta2", 0.95, domain="[0,1)", latex=r"\beta_2", probe=3 / 4,
                  description="decay rate of the rows' second moment")
    nesterov = option("nesterov", True, False, argument=True,
                      description="look ahead by the present gradient")
    a, b, c = hyper(
        "ns_coefficients", (3.4445, -4.775, 2.0315), names=("a", "b", "c"),
        probe=(55 / 16, -19 / 4, 65 / 32),
        description="coefficients of the polynomial in one round of Newton-Schulz")
    rounds = hyper("ns_steps", 5, domain="Z[1,99]", latex="K", probe=3,
                   aliases=("num_steps", "backend_steps"), description="rounds of Newton-Schulz")
    eps = hyper("eps", 1e-10, domain="[0,inf)", latex=r"\epsilon", probe=1 / 4,
                aliases=("epsilon",), description="term that keeps denominators away from zero")
    ns_eps = hyper("ns_eps", 1e-7, domain="[0,inf)", latex=r"\epsilon_K", probe=1 / 8,
                   description="term that keeps the norm away from zero in Newton-Schulz")
    size = option("update_scale", "preserve_norm", "match_rms", argument=True,
                  description="size that an update has after its rows are normalised")
    scale = option("scale", "original", "match_rms_adamw",
                   description="how the learning rate depends on the shape of the matrix")
    guard = option("guard", "added", "none", description="how eps keeps the last norm from zero")
    decay = option("decay", "decoupled", "l2", description="how weight decays")
    floor = option("floor", "added", "clamp", description="how ns_eps keeps the norm from zero")
    M = state("M", "momentum_buffer", aliases=("momentum", "exp_avg", "buf"),
              description="momentum")
    V = state("V", "second_momentum_buffer", shape="rows", aliases=("v", "row_var", "exp_avg_sq"),
              description="mean square of every row of the orthogonalised momentum")
    g, U, X, A, B = local("g"), local("U"), local("X"), local("A"), local("B")
    D, s, k = local("D"), local("s"), local("k", r"\kappa")

    let("gradient", g, grad(theta))
    with when(decay == "l2"):
        let("l2", g, g + wd * theta)
    let("momentum", M, mu * prev(M) + (1 - mu) * g)
    let("direction", U, choose(nesterov, yes=mu * M + (1 - mu) * g, no=M))

    with precision("orthogonalise", "bfloat16"):
        with when(rows(theta) > cols(theta)):
            let("orient", X, transpose(U), form="tall")
        with otherwise():
            let("orient", X, U, form="wide")
        let("normalise", X, choose(
            floor, added=X / (norm(X) + ns_eps), clamp=X / maximum(norm(X), ns_eps)))
        with repeat(rounds):
            let("gram", A, matmul(X, transpose(X)))
            let("polynomial", B, b * A + c * matmul(A, A))
            let("newton_schulz", X, a * X + matmul(B, X))
        with when(rows(theta) > cols(theta)):
            let("orient", X, transpose(X), form="back")

    let("row_moment", V, beta2 * prev(V) + (1 - beta2) * row_mean(X**2))
    let("rows", D, X / (sqrt(V) + eps))
    let("size", s, choose(guard, added=norm(D) + eps, none=norm(D)))
    with when(size == "preserve_norm"):
        let("scale", k, choose(
            scale, original=sqrt(maximum(1, rows(theta) / cols(theta))),
            match_rms_adamw=0.2 * sqrt(maximum(rows(theta), cols(theta)))))
        let("rescale", D, D * (norm(X) / s), form="preserve_norm")
    with otherwise():
        let("scale", k, 0.2 * sqrt(rows(theta) * cols(theta)), form="match_rms")
        let("rescale", D, D / s, form="match_rms")
    with when(decay == "decoupled"):
        let("decay", theta, theta - lr * wd * theta)
    let("update", theta, theta - lr * k * D)

    require(equal(ndim(theta), 2), "NorMuon takes parameters of 2 dimensions")
    exclude(scale, size == "match_rms", "the update has a root mean square of 0.2 in any shape")

    reference("Li et al., NorMuon: making Muon more efficient and scalable, 2025, algorithm 1",
              "arXiv:2510.05491")

    dialect("normuon/official", "github.com/zichongli5/NorMuon", export="NorMuon",
            note="Looks ahead, and gives the update the norm that it had before its rows were "
                 "normalised.")
    dialect("normuon/paper", "arXiv:2510.05491, algorithm 1",
            nesterov=False, update_scale="match_rms", guard="none",
            note="No look ahead; an update has a root mean square of 0.2.")
    dialect("normuon/clamped", "pytorch_optimizer.NorMuon", floor="clamp",
            note="As the official code, but ns_eps is the least that Newton-Schulz divides by.")
    dialect("normuon/match-rms", "pytorch_optimizer.NorMuon(update_scale='match_rms')",
            update_scale="match_rms", floor="clamp",
            note="The paper's size of an update, with a look ahead.")
    dialect("normuon/moonlight", "pytorch_optimizer.NorMuon(use_adjusted_lr=True)",
            scale="match_rms_adamw", floor="clamp",
            note="The norm is that of before, times Moonlight's factor of the longer side.")
    dialect("normuon/l2", "pytorch_optimizer.NorMuon(weight_decouple=False)",
            decay="l2", floor="clamp",
            note="The decay joins the gradient, so the orthogonalisation sees it.")
