from __future__ import annotations

import pytest

from instep.spec import get, render
from instep.spec.errors import SpecError


@pytest.mark.parametrize(
    ("name", "equation", "latex"),
    [
        ("adamw", "decay", r"\theta_t \gets \theta_{t-1} - \gamma \lambda \theta_{t-1}"),
        ("adamw", "update", r"\theta_t \gets \theta_t - \frac{\gamma \hat m_t}{d_t}"),
        ("adam", "update", r"\theta_t \gets \theta_{t-1} - \frac{\gamma \hat m_t}{d_t}"),
        ("adam", "l2", r"g_t \gets g_t + \lambda \theta_{t-1}"),
        ("adamw/decay-after", "decay", r"\theta_t \gets \theta_t - \gamma \lambda \theta_t"),
        ("adamw", "denominator", r"d_t \gets \sqrt{\hat v_t} + \epsilon"),
        ("amsgrad", "maximum", r"v^{\max}_t \gets \max\left(v^{\max}_{t-1}, v_t\right)"),
        ("nesterov/paper", "gradient", r"g_t \gets \nabla f_t\left(y_t\right)"),
        (
            "nesterov/paper",
            "point",
            "\\begin{aligned}\n"
            r"& y_t \gets \theta_{t-1} & \text{if } b_{t-1}\ \text{is absent} \\" + "\n"
            r"& y_t \gets \theta_{t-1} - \mu b_{t-1} & \text{if } b_{t-1}\ \text{is present}"
            "\n\\end{aligned}",
        ),
        ("nesterov/paper", "point@first", r"y_t \gets \theta_{t-1}"),
    ],
)
def test_one_equation_has_the_index_that_theta_has_there(name, equation, latex):
    assert render.latex_equation(get(name), equation) == latex


def test_one_equation_as_text():
    assert render.text_equation(get("adam"), "denominator") == "d ← √v̂ + ε"
    assert render.text_equation(get("adam"), "denominator", {"epsilon": "inside"}) == "d ← √(v̂ + ε)"
    assert render.text_equation(get("adam"), "update", ascii=True) == "theta <- theta - lr*m_hat/d"
    several = render.text_equation(get("nesterov/paper"), "point")
    assert several == "y ← θ    if b is absent\ny ← θ − μ·bₜ₋₁    if b is present"


@pytest.mark.parametrize("draw", [render.latex_equation, render.text_equation])
@pytest.mark.parametrize(
    ("equation", "options", "reason"),
    [
        ("denominatr", None, "adam/paper has no equation 'denominatr'; nearest: denominator"),
        (
            "denominator@clam",
            None,
            "adam/paper has no equation 'denominator@clam'; nearest: denominator",
        ),
        ("denominator@hat", None, "'denominator@hat' with these options; it has with epsilon=hat"),
        ("l2", {"decay": "after"}, "'l2' with these options; it has with decay=l2"),
        ("l2", {"decay": "never"}, "option decay has no value 'never'"),
        ("l2", {"decays": "l2"}, "no option 'decays'"),
        (
            "l2",
            {"epsilon": "hat", "amsgrad": "corrected"},
            "adam/paper does not allow these options",
        ),
    ],
)
def test_an_equation_that_is_not_there(draw, equation, options, reason):
    with pytest.raises(SpecError, match=reason):
        draw(get("adam"), equation, options)


def test_options_with_an_equation_are_the_nearest():
    adam = get("adam")
    own = adam.option_defaults()
    assert render.options_with(adam, "denominator@hat") == own | {"epsilon": "hat"}
    assert render.options_with(adam, "maximum@corrected") == own | {"amsgrad": "corrected"}
    assert render.options_with(adam, "nowhere") is None
