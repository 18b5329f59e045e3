"""AdaMuon: Muon whose orthogonalised momentum is divided, lane by lane, by its root mean square."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("adamuon", "AdaMuon: Muon with a second moment for every entry") as spec:
    lr = hyper("lr", 0.02, domain="[0,inf)", latex=r"\gamma", probe=1 / 16,
               aliases=("learning_rate", "step_size"), description="learning rate")
    beta1, beta2 = hyper(
        "betas", (0.95, 0.95), names=("beta1", "beta2"), domain="[0,1)",
        latex=(r"\beta_1", r"\beta_2"), probe=(7 / 8, 3 / 4),
        aliases=(("momentum", "beta", "mu"), ()),
        description="decay rates of the momentum and of the second moment")
    wd = hyper("weight_decay", 0.01, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay"), description="weight decay")
    nesterov = option("nesterov", False, True, argument=True,
                      description="look ahead by the present gradient")
    a, b, c = hyper(
        "ns_coefficients", (3.4445, -4.775, 2.0315), names=("a", "b", "c"),
        probe=(55 / 16, -19 / 4, 65 / 32),
        description="coefficients of the polynomial in one round of Newton-Schulz")
    rounds = hyper("ns_steps", 5, domain="Z[1,99]", latex="K", probe=3,
                   aliases=("num_steps", "backend_steps"), description="rounds of Newton-Schulz")
    eps = hyper("eps", 1e-8, domain="[0,inf)", latex=r"\epsilon", probe=1 / 8,
                aliases=("epsilon",), description="term that keeps denominators away from zero")
    ns_eps = hyper("ns_eps", 1e-7, domain="[0,inf)", latex=r"\epsilon_K", probe=1 / 8,
                   description="term that keeps the norm away from zero in Newton-Schulz")
    signed = option("signed", True, False,
                    description="orthogonalise the momentum's signs, not the momentum")
    average = option("average", False, True,
                     description="momentum as an average of gradients, not as their sum")
    correct = option("correct", False, True,
                     description="correct the bias of the second moment")
    scale = option("scale", "match_rms_adamw", "original",
                   description="how the learning rate depends on the shape of the matrix")
    decay = option("decay", "decoupled", "l2", description="how weight decays")
    t = counter("t")
    floor = option("floor", "added", "clamp", description="how ns_eps keeps the norm from zero")
    M = state("M", "momentum_buffer", aliases=("m", "momentum", "exp_avg", "buf"),
              description="momentum")
    V = state("V", "v_buffer", aliases=("v", "exp_avg_sq"),
              description="mean square of every entry of the orthogonalised momentum")
    g, U, X, A, B = local("g"), local("U"), local("X"), local("A"), local("B")
    V_hat, D, k = local("V_hat", r"\hat{V}"), local("D"), local("k", r"\kappa")

    let("gradient", g, grad(theta))
    with when(decay == "l2"):
        let("l2", g, g + wd * theta)
    with when(average):
        let("momentum", M, beta1 * prev(M) + (1 - beta1) * g, form="average")
        let("direction", U, choose(nesterov, yes=beta1 * M + (1 - beta1) * g, no=M),
            form="average")
    with otherwise():
        let("momentum", M, beta1 * prev(M) + g, form="sum")
        let("direction", U, choose(nesterov, yes=g + beta1 * M, no=M), form="sum")
    with when(signed):
        let("sign", U, sign(U))

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

    let("second_moment", V, beta2 * prev(V) + (1 - beta2) * X**2)
    let("correct", V_hat, choose(correct, yes=V / (1 - beta2**t), no=V))
    with precision("rescale", "own"):
        let("entries", D, X / (sqrt(V_hat) + eps))
        let("rescale", D, D * (sqrt(minimum(rows(theta), cols(theta))) / (norm(D) + eps)))
    let("scale", k, choose(
        scale, match_rms_adamw=0.2 * sqrt(maximum(rows(theta), cols(theta))),
        original=sqrt(maximum(1, rows(theta) / cols(theta)))))
    with when(decay == "decoupled"):
        let("decay", theta, theta - lr * wd * theta)
    let("update", theta, theta - lr * k * D)

    require(equal(ndim(theta), 2), "AdaMuon takes parameters of 2 dimensions")

    reference("Si et al., AdaMuon: adaptive Muon optimizer, 2025, algorithm 1", "arXiv:2507.11005")

    dialect("adamuon/paper", "arXiv:2507.11005, algorithm 1", export="AdaMuon",
            note="The signs of the momentum are orthogonalised; the paper has one decay rate for "
                 "both moments, and corrects neither.")
    dialect("adamuon/first-release", "github.com/Chongjie-Si/AdaMuon, as first released",
            signed=False, nesterov=True, average=True, correct=True, defaults={"beta2": 0.999},
            note="The momentum itself is orthogonalised, an average that looks ahead; the second "
                 "moment is corrected.")
    dialect("adamuon/average", "pytorch_optimizer.AdaMuon",
            signed=False, average=True, correct=True, floor="clamp",
            precisions={"rescale": "bfloat16"},
            defaults={"beta1": 0.9, "weight_decay": 0.0, "eps": 1e-10},
            note="As first released, without the look ahead; ns_eps is the least that "
                 "Newton-Schulz divides by. The update stays in bfloat16 until it is applied.")
    dialect("adamuon/unadjusted", "pytorch_optimizer.AdaMuon(use_adjusted_lr=False)",
            signed=False, average=True, correct=True, scale="original", floor="clamp",
            precisions={"rescale": "bfloat16"},
            defaults={"beta1": 0.9, "weight_decay": 0.0, "eps": 1e-10},
            note="The learning rate depends on the shape as Muon's does, so an update has no root "
                 "mean square of 0.2.")
    dialect("adamuon/l2", "pytorch_optimizer.AdaMuon(weight_decouple=False)",
            signed=False, average=True, correct=True, decay="l2", floor="clamp",
            precisions={"rescale": "bfloat16"},
            defaults={"beta1": 0.9, "weight_decay": 0.0, "eps": 1e-10},
            note="The decay joins the gradient, so the orthogonalisation sees it.")
