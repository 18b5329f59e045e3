"""Muon: momentum that is made nearly orthogonal before it is applied, for weight matrices."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("muon", "Muon: momentum orthogonalised by Newton-Schulz") as spec:
    lr = hyper("lr", 1e-3, domain="[0,inf)", latex=r"\gamma", probe=1 / 16,
               aliases=("learning_rate", "step_size"), description="learning rate")
    wd = hyper("weight_decay", 0.1, domain="[0,inf)", latex=r"\lambda", probe=1 / 8,
               aliases=("wd", "decay"), description="weight decay")
    mu = hyper("momentum", 0.95, domain="[0,inf)", latex=r"\mu", probe=7 / 8,
               aliases=("beta", "momentum_decay"), description="decay rate of the momentum")
    nesterov = option("nesterov", True, False, argument=True,
                      description="look ahead by the present gradient")
    a, b, c = hyper(
        "ns_coefficients", (3.4445, -4.775, 2.0315), names=("a", "b", "c"),
        probe=(55 / 16, -19 / 4, 65 / 32),
        description="coefficients of the polynomial in one round of Newton-Schulz")
    eps = hyper("eps", 1e-7, domain="[0,inf)", latex=r"\epsilon", probe=1 / 8,
                aliases=("epsilon",), description="term that keeps the norm away from zero")
    rounds = hyper("ns_steps", 5, domain="Z[1,99]", latex="K", probe=3,
                   aliases=("num_steps", "backend_steps"), description="rounds of Newton-Schulz")
    scale = option("scale", "original", "match_rms_adamw", "none", "transposed",
                   argument="adjust_lr_fn",
                   spelling={None: "original", "original": "original",
                             "match_rms_adamw": "match_rms_adamw"},
                   description="how the learning rate depends on the shape of the matrix")
    average = option("average", True, False,
                     description="momentum as an average of gradients, not as their sum")
    decay = option("decay", "decoupled", "l2", description="how weight decays")
    floor = option("floor", "clamp", "added", description="how eps keeps the norm from zero")
    signature("lr", "weight_decay", "momentum", "nesterov", "ns_coefficients", "eps", "ns_steps",
              "adjust_lr_fn")
    M = state("M", "momentum_buffer", aliases=("momentum", "exp_avg", "buf"),
              description="momentum")
    g, U, X, A, B = local("g"), local("U"), local("X"), local("A"), local("B")
    k = local("k", r"\kappa")

    let("gradient", g, grad(theta))
    with when(decay == "l2"):
        let("l2", g, g + wd * theta)
    with when(average):
        let("momentum", M, mu * prev(M) + (1 - mu) * g, form="average")
        let("direction", U, choose(nesterov, yes=mu * M + (1 - mu) * g, no=M), form="average")
    with otherwise():
        let("momentum", M, mu * prev(M) + g, form="sum")
        let("direction", U, choose(nesterov, yes=g + mu * M, no=M), form="sum")

    with precision("orthogonalise", "bfloat16"):
        with when(rows(theta) > cols(theta)):
            let("orient", X, transpose(U), form="tall")
        with otherwise():
            let("orient", X, U, form="wide")
        let("normalise", X, choose(
            floor, clamp=X / maximum(norm(X), eps), added=X / (norm(X) + eps)))
        with repeat(rounds):
            let("gram", A, matmul(X, transpose(X)))
            let("polynomial", B, b * A + c * matmul(A, A))
            let("newton_schulz", X, a * X + matmul(B, X))
        with when(rows(theta) > cols(theta)):
            let("orient", X, transpose(X), form="back")

    let("scale", k, choose(
        scale, original=sqrt(maximum(1, rows(theta) / cols(theta))),
        match_rms_adamw=0.2 * sqrt(maximum(rows(theta), cols(theta))),
        transposed=sqrt(maximum(1, cols(theta) / rows(theta))), none=1))
    with when(decay == "decoupled"):
        let("decay", theta, theta - lr * wd * theta)
    let("update", theta, theta - lr * k * X)

    require(equal(ndim(theta), 2), "Muon takes parameters of 2 dimensions")

    reference("Jordan et al., Muon: an optimizer for hidden layers in neural networks, 2024",
              "https://kellerjordan.github.io/posts/muon/")
    reference("Liu et al., Muon is scalable for LLM training, 2025", "arXiv:2502.16982")

    dialect("muon/torch", "torch.optim.Muon", export="Muon",
            note="The momentum is an average; its documentation writes a sum, which differs in "
                 "the state and against eps alone. Newton-Schulz runs in bfloat16.")
    dialect("muon/own-type", "the equations as they stand", precisions={"orthogonalise": "own"},
            note="Newton-Schulz runs in the parameter's type: in float32 where that is float32.")
    dialect("muon/moonlight", "arXiv:2502.16982, section 2.2", scale="match_rms_adamw",
            note="The learning rate of AdamW serves: an update has a root mean square of 0.2.")
    dialect("muon/keller-jordan", "github.com/KellerJordan/Muon, as first released",
            average=False, floor="added", defaults={"lr": 0.02, "weight_decay": 0.0},
            note="The momentum is a sum, and eps is added to the norm.")
    dialect("muon/transposed", "weights stored as (inputs, outputs)", scale="transposed",
            note="The longer side counts where the weights are transposed to torch's.")
    dialect("muon/unscaled", "Newton-Schulz as it stands", scale="none",
            note="The step does not depend on the shape.")
    dialect("muon/l2", "pytorch_optimizer.Muon(weight_decouple=False)", decay="l2",
            note="The decay joins the gradient, so the orthogonalisation sees it.")
    dialect("muon/converging", "coefficients that converge to singular values of one",
            defaults={"a": 2.0, "b": -1.5, "c": 0.5},
            note="Slower at small singular values, and exact in the end.")
