from __future__ import annotations

import re

import pytest

from instep.spec import dialects, get, ir, render
from instep.spec.errors import SpecError

ADAMW = """\
input
    γ = 0.001                  lr
    β₁ = 0.9                   betas[0]
    β₂ = 0.999                 betas[1]
    ε = 1e-08                  eps
    λ = 0.01                   weight_decay
    θ                          parameters
start
    m ← 0                      exp_avg
    v ← 0                      exp_avg_sq
for t = 1, 2, ...
    g ← ∇f(θ)                  gradient
    θ ← θ − γ·λ·θ              decay
    m ← β₁·mₜ₋₁ + (1 − β₁)·g   first_moment
    v ← β₂·vₜ₋₁ + (1 − β₂)·g²  second_moment
    m̂ ← m/(1 − β₁ᵗ)            first_correction
    v̂ ← v/(1 − β₂ᵗ)            second_correction
    d ← √v̂ + ε                 denominator
    θ ← θ − γ·m̂/d              update"""

SGD = r"""\begin{array}{ll}
\textbf{input} & \\
\quad \gamma = 0.001 & \texttt{lr} \\
\quad \mu = 0.0 & \texttt{momentum} \\
\quad \tau = 0.0 & \texttt{dampening} \\
\quad \lambda = 0.0 & \texttt{weight\_decay} \\
\quad \theta_0,\ f_1, f_2, \ldots & \text{parameters, loss} \\
\textbf{start} & \\
\quad b_0\ \text{is absent} & \texttt{momentum\_buffer} \\
\textbf{for}\ t = 1, 2, \ldots\ \textbf{do} & \\
\quad g_t \gets \nabla f_t\left(\theta_{t-1}\right) & \texttt{gradient} \\
\quad \textbf{if}\ \lambda \neq 0 & \\
\quad \quad g_t \gets g_t + \lambda \theta_{t-1} & \texttt{l2} \\
\quad \textbf{if}\ \mu \neq 0 & \\
\quad \quad \textbf{if}\ b_{t-1}\ \text{is absent} & \\
\quad \quad \quad b_t \gets g_t & \texttt{first\_buffer} \\
\quad \quad \textbf{else} & \\
\quad \quad \quad b_t \gets \mu b_{t-1} + \left(1 - \tau\right) g_t & \texttt{buffer} \\
\quad \quad d_t \gets b_t & \texttt{direction@buffer} \\
\quad \textbf{else} & \\
\quad \quad d_t \gets g_t & \texttt{direction} \\
\quad \theta_t \gets \theta_{t-1} - \gamma d_t & \texttt{update} \\
\textbf{return}\ \theta_t &
\end{array}"""


def test_a_whole_algorithm_as_text():
    assert render.text_algorithm(get("adamw/torch")) == ADAMW


def test_a_whole_algorithm_as_latex():
    assert render.latex_algorithm(get("sgd/torch")) == SGD


def test_ascii_keeps_the_words_of_the_specification():
    text = render.text_algorithm(get("adamw/torch"), ascii=True)
    assert text.isascii()
    assert "    m <- beta1*prev(m) + (1 - beta1)*g      first_moment" in text.split("\n")


def test_open_options_are_branches_and_theta_is_carried_over_where_they_may_move_it():
    adam = get("adam")
    lines = render.latex_algorithm(adam, keep=render.switches(adam)).split("\n")
    carried = lines.index(r"\quad \theta_t \gets \theta_{t-1} & \\")
    assert r"\theta_{t-1}" not in "".join(lines[carried + 1 :])
    assert r"\theta_t" not in "".join(lines[:carried])
    assert r"\quad \textbf{if}\ \textit{decay} = \text{decoupled} & \\" in lines
    assert r"\quad \quad \textbf{else if}\ \textit{correction} = \text{first} & \\" in lines
    text = render.text_algorithm(adam, keep=render.switches(adam))
    assert ["amsgrad", "=", "no", "|", "raw", "|", "corrected", "option"] in [
        line.split() for line in text.split("\n")
    ]
    assert "    if epsilon = hat or epsilon = hat_inside" in text.split("\n")
    assert "        else if correction = first" in text.split("\n")
    assert "max_exp_avg_sq" in text


def test_an_open_option_with_fewer_values():
    text = render.text_algorithm(get("adamw"), keep={"amsgrad": ("no", "raw")})
    assert "maximum" in text
    assert "corrected" not in text
    with pytest.raises(SpecError, match="option amsgrad has no value 'max'"):
        render.text_algorithm(get("adamw"), keep={"amsgrad": ("no", "max")})


def test_hyperparameters_without_meaning_are_not_listed():
    assert "dampening" in render.text_algorithm(get("sgd/torch"))
    assert "dampening" not in render.text_algorithm(get("sgd/classical"))
    open_buffer = {"buffer": ("torch", "classical")}
    assert "dampening" in render.text_algorithm(get("sgd/classical"), keep=open_buffer)


# What KaTeX renders without complaint; the blocks of all dialects were put through it.
COMMANDS = {
    *("begin", "end", "textbf", "textit", "texttt", "text", "mathrm", "operatorname"),
    *(
        "quad",
        "gets",
        "left",
        "right",
        "lvert",
        "rvert",
        "frac",
        "sqrt",
        "nabla",
        "neq",
        "leq",
        "geq",
    ),
    *(
        "max",
        "min",
        "exp",
        "log",
        "cos",
        "hat",
        "in",
        "ldots",
        "bmod",
        "cdot",
        "top",
        "lfloor",
        "rfloor",
    ),
    *("theta", "gamma", "beta", "epsilon", "lambda", "mu", "tau", "alpha", "infty"),
    *("eta", "rho", "nu", "kappa", "xi", "phi", "psi", "delta", "Delta", "sigma", "omega", "Pi"),
    *("bar", "tilde", "lceil", "rceil", "varepsilon", "zeta", "chi", "varphi", "Lambda"),
}


def well_formed(latex):
    depth, environments, position = 0, [], 0
    commands = []
    while position < len(latex):
        character = latex[position]
        if character == "\\" and latex[position + 1].isalpha():
            end = position + 1
            while end < len(latex) and latex[end].isalpha():
                end += 1
            commands.append(latex[position + 1 : end])
            if commands[-1] in ("begin", "end"):
                name = latex[end + 1 : latex.index("}", end)]
                if commands[-1] == "begin":
                    environments.append(name)
                else:
                    assert environments.pop() == name
            position = end
        else:
            position += 2 if character == "\\" else 1
            depth += {"{": 1, "}": -1}.get(character, 0)
            assert depth >= 0
    assert (depth, environments) == (0, [])
    assert commands.count("left") == commands.count("right")
    return set(commands)


def without_cases(latex):
    """What is left when case distinctions are taken out, the innermost first."""
    inner = r"\\begin{cases}(?:(?!\\begin{cases}).)*?\\end{cases}"
    shorter = re.sub(inner, "", latex)
    return latex if shorter == latex else without_cases(shorter)


@pytest.mark.parametrize("name", dialects())
def test_latex_is_balanced_and_keeps_to_what_katex_knows(name):
    algorithm = get(name)
    blocks = [
        render.latex_algorithm(algorithm),
        render.latex_algorithm(algorithm, keep=render.switches(algorithm)),
    ]
    for block in blocks:
        assert well_formed(block) <= COMMANDS
        rows = without_cases(block).split("\n")[1:-1]
        assert all(row.count(" &") == 1 for row in rows)
    for let in ir.lets(algorithm.body):
        options = render.options_with(algorithm, let.equation)
        assert well_formed(render.latex_equation(algorithm, let.equation, options)) <= COMMANDS


EVERYTHING = """
lr = hyper("lr", 1.0)
size = hyper("size", 5, domain="Z[1,inf)")
metric = inputs("metric") if WITH_INPUT else 1
fast = inner("fast")
k = counter("k", scope="optimizer")
h = state("h", "history", shape="history")
slow = state("slow", "slow_buffer", init=theta, latex=r"\\phi")
g, a, s = local("g"), local("a"), local("s_x")
let("gradient", g, grad(theta) * metric)
let("sum", s, where(equal(g, 0), g, total(g) * matmul(g, transpose(g)) + row_mean(g)))
with repeat(length(h), until=rms(s) > 9, down=True) as i:
    let("weight", at(a, i), loss(theta) * total(at(h, i)))
    let("sum", s, s + at(a, i) * at(h, i), form="next")
    with when(at(a, i - 1) > 0):
        let("inside", theta, theta - lr * s)
push("remember", h, g, size)
apply(fast, gradient=g + s)
with when(equal(k % 5, 0)):
    let("slow_weights", slow, prev(slow) + (theta - prev(slow)) / 2)
    let("synchronise", theta, slow)
"""


def test_every_statement_as_text(load):
    text = render.text_algorithm(load(EVERYTHING.replace("WITH_INPUT", "False")), width=60)
    assert text.split("\n")[4:] == [
        "    θ                                      parameters",
        "start",
        "    h ← ()                                 history",
        "    φ ← θ                                  slow_buffer",
        "for k = 1, 2, ...",
        "    g ← ∇f(θ)·1                            gradient",
        "    sₓ ← where(g = 0, g, sum(g)·(g @ gᵀ)   sum",
        "            + mean(g, rows))",
        "    for i = len(h) − 1, ..., 0",
        "        a[i] ← f(θ)·sum(h[i])              weight",
        "        sₓ ← sₓ + a[i]·h[i]                sum@next",
        "        if a[i − 1] > 0",
        "            θ ← θ − γ·sₓ                   inside",
        "        until √mean(sₓ²) > 9",
        "    h ← last size of (h, g)                remember",
        "    θ ← fast(θ, g + sₓ)",
        "    if k mod 5 = 0",
        "        φ ← φₖ₋₁ + (θ − φₖ₋₁)/2            slow_weights",
        "        θ ← φ                              synchronise",
    ]


def test_every_statement_as_latex(load):
    latex = render.latex_algorithm(load(EVERYTHING.replace("WITH_INPUT", "True")))
    well_formed(latex)
    rows = [row.removesuffix(r" \\").removesuffix(" &") for row in latex.split("\n")]
    start = rows.index(r"\quad \mathrm{metric} & \text{with every step}")
    assert rows[start + 1 : start + 7] == [
        r"\quad \mathrm{fast} & \text{another algorithm}",
        r"\quad \theta_0,\ f_1, f_2, \ldots & \text{parameters, loss}",
        r"\textbf{start}",
        r"\quad h \gets () & \texttt{history}",
        r"\quad \phi_0 \gets \theta_0 & \texttt{slow\_buffer}",
        r"\textbf{for}\ k = 1, 2, \ldots\ \textbf{do}",
    ]
    loop = rows[start + 7 :]
    assert loop[0].startswith(
        r"\quad g_k \gets \nabla f_k\left(\theta_{k-1}\right) \mathrm{metric}_k"
    )
    assert loop[1].startswith(r"\quad s_{x,k} \gets \begin{cases} g_k & \text{if } g_k = 0 \\ ")
    assert loop[2:] == [
        r"\quad \theta_k \gets \theta_{k-1}",
        r"\quad \textbf{for}\ i = \operatorname{len}\left(h\right) - 1, \ldots, 0\ \textbf{do}",
        r"\quad \quad a_i \gets f_k\left(\theta_k\right) \operatorname{sum}\left(h_i\right)"
        r" & \texttt{weight}",
        r"\quad \quad s_{x,k} \gets s_{x,k} + a_i h_i & \texttt{sum@next}",
        r"\quad \quad \textbf{if}\ a_{i - 1} > 0",
        r"\quad \quad \quad \theta_k \gets \theta_k - \gamma s_{x,k} & \texttt{inside}",
        r"\quad \quad \textbf{until}\ \sqrt{\operatorname{mean}\left(s_{x,k}^{2}\right)} > 9",
        r"\quad h \gets \text{last } \mathrm{size} \text{ of } \left(h, g_k\right)"
        r" & \texttt{remember}",
        r"\quad \theta_k \gets \mathrm{fast}\left(\theta_k,\ g_k + s_{x,k}\right)",
        r"\quad \textbf{if}\ k \bmod 5 = 0",
        r"\quad \quad \phi_k \gets \phi_{k-1} + \frac{\theta_k - \phi_{k-1}}{2}"
        r" & \texttt{slow\_weights}",
        r"\quad \quad \theta_k \gets \phi_k & \texttt{synchronise}",
        r"\textbf{return}\ \theta_k",
        r"\end{array}",
    ]


BRANCHES = """
lr = hyper("lr", 1.0)
t = counter()
g = local("g")
let("gradient", g, grad(theta))
with when(t > 5):
    let("late", theta, theta - g)
    OTHERWISE
let("update", theta, theta - lr * g)
"""


def test_theta_needs_no_carrying_where_every_path_moves_it(load):
    both = "with otherwise():\n    let('early', theta, theta + g)"
    body = BRANCHES.replace("    OTHERWISE\n", both + "\n")
    latex = render.latex_algorithm(load(body))
    assert r"\theta_t \gets \theta_{t-1} &" not in latex
    assert r"\quad \quad \theta_t \gets \theta_{t-1} - g_t & \texttt{late}" in latex
    assert r"\quad \quad \theta_t \gets \theta_{t-1} + g_t & \texttt{early}" in latex
    assert r"\quad \theta_t \gets \theta_t - \gamma g_t & \texttt{update}" in latex


def test_theta_is_carried_once_where_some_path_moves_it(load):
    latex = render.latex_algorithm(load(BRANCHES.replace("    OTHERWISE\n", "")))
    assert latex.count(r"\theta_{t-1}") == 2
    assert r"\quad \theta_t \gets \theta_{t-1} & \\" in latex
    assert r"\quad \quad \theta_t \gets \theta_t - g_t & \texttt{late}" in latex
