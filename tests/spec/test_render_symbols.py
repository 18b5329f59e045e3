from __future__ import annotations

import pytest

from instep.spec import ir, render
from instep.spec.render.latex import LatexPrinter
from instep.spec.render.symbols import with_index


@pytest.mark.parametrize(
    ("name", "latex", "text"),
    [
        ("theta", r"\theta", "θ"),
        ("eps", r"\epsilon", "ε"),
        ("m", "m", "m"),
        ("c1", "c_1", "c₁"),
        ("beta12", r"\beta_{12}", "β₁₂"),
        ("v_hat", r"\hat{v}", "v̂"),
        ("x_bar", r"\bar{x}", "x̄"),
        ("g_i", "g_i", "gᵢ"),
        ("v_max", r"v_{\mathrm{max}}", "vₘₐₓ"),
        ("g_quick", r"g_{\mathrm{quick}}", "g_quick"),
        ("step_size", r"\mathrm{step\_size}", "step_size"),
        ("step_hat", r"\hat{\mathrm{step}}", "step_hat"),
        ("Gamma", r"\Gamma", "Γ"),
    ],
)
def test_symbols_without_latex_are_made_of_their_names(name, latex, text):
    assert LatexPrinter({}, frozenset()).show(ir.Sym(name)) == latex
    assert render.expression_text(ir.Sym(name)) == text


@pytest.mark.parametrize(
    ("latex", "index", "found"),
    [
        ("m", "t", "m_t"),
        ("m", "t-1", "m_{t-1}"),
        (r"\hat m", "t", r"\hat m_t"),
        ("x_i", "t", "x_{i,t}"),
        (r"x_{i}", "t-1", "x_{i,t-1}"),
        (r"s_{\mathrm{x}}", "t", r"s_{\mathrm{x},t}"),
        (r"v^{\max}", "t", r"v^{\max}_t"),
        ("x_i^2", "t", "{x_i^2}_t"),
        (r"x_{i}y_{j}", "t", "{x_{i}y_{j}}_t"),
        (r"\mathrm{a\_b}", "t", r"\mathrm{a\_b}_t"),
    ],
)
def test_the_step_joins_the_subscript_that_is_there(latex, index, found):
    assert with_index(latex, index) == found


def test_declared_latex_gives_the_text_too_and_no_two_symbols_look_alike(load):
    algorithm = load(r"""
lr = hyper("lr", 1.0, latex=r"\eta")
gamma = hyper("gamma", 1.0)
x = hyper("x", 1.0, latex=r"\gamma")
f = hyper("f", 1.0)
y = hyper("y", 1.0, latex=r"\mathcal{Y}")
z = hyper("z", 1.0, latex=r"\tilde z_{q}")
eps = hyper("eps", 1.0, latex=r"\epsilon")
e = hyper("e", 1.0, latex=r"\varepsilon")
let("update", theta, theta - lr * gamma * x * f * y * z * eps * e * grad(theta))
""")
    latex, text = render.latex_names(algorithm), render.text_names(algorithm)
    assert latex == {
        "theta": r"\theta", "lr": r"\eta", "gamma": r"\mathrm{gamma}", "x": r"\gamma",
        "f": r"\mathrm{f}", "y": r"\mathcal{Y}", "z": r"\tilde z_{q}",
        "eps": r"\epsilon", "e": r"\varepsilon",
    }  # fmt: skip
    assert len(set(latex.values())) == len(latex)
    assert text == {
        "theta": "θ", "lr": "η", "gamma": "gamma", "x": "γ", "f": "f", "y": "y", "z": "z",
        "eps": "ε", "e": "e",
    }  # fmt: skip
    assert render.text_names(algorithm, ascii=True) == {name: name for name in latex}
    assert r"- \eta \mathrm{gamma} \gamma" in render.latex_equation(algorithm, "update")


def test_the_letter_of_the_step_is_one_that_no_symbol_bears(load):
    algorithm = load("""
t = hyper("t", 1.0)
n = state("n", "buffer")
let("count", n, prev(n) + t)
let("update", theta, theta - n * grad(theta))
""")
    assert render.text_equation(algorithm, "count") == "n ← nₖ₋₁ + t"
    assert render.latex_equation(algorithm, "count") == r"n_k \gets n_{k-1} + t"
