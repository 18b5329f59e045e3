from __future__ import annotations

import json

import pytest

from instep.spec.algebra import difference, equal, program
from instep.spec.algebra.relation import Relation
from instep.spec.algebra.screening import survives


@pytest.fixture(scope="module")
def eps_hat():
    return difference("adam/paper", "adam/eps-hat")


def test_equations_are_compared_by_name(eps_hat):
    found = {e.equation: e for e in eps_hat.equations}
    assert set(found) == {
        "first_correction", "second_correction", "step_size", "denominator", "update",
    }  # fmt: skip
    assert [str(w) for w in found["denominator"].a] == ["d = sqrt(v_hat) + eps"]
    assert [str(w) for w in found["denominator"].b] == ["d = sqrt(v) + eps"]
    assert found["step_size"].a == ()


def test_the_substitution_is_found_and_proved(eps_hat):
    assert eps_hat.verdict.status == "different"
    first = eps_hat.substitutions[0]
    assert str(first) == ("equal: adam/eps-hat with eps = eps*sqrt(1 - beta2**t) and adam/paper")
    assert first.verdict.proof is not None
    ends = {str(s) for s in eps_hat.substitutions[1:]}
    assert "equal: adam/eps-hat with eps = 0 and adam/paper with eps = 0" in ends
    assert not any("lr = 0" in s for s in ends), "nothing moves there, so it says nothing"


def test_the_probe_on_which_they_differ_most_has_tiny_gradients(eps_hat):
    assert eps_hat.largest is not None
    assert eps_hat.largest.relative > 0.9
    assert all(abs(m.level) < 2**-20 for m in eps_hat.largest.scenario.moments)


def test_the_text_fits_and_the_record_is_plain(eps_hat):
    text = eps_hat.to_text(width=80)
    assert text.startswith("adam/paper and adam/eps-hat: different\n")
    assert "default of eps: 1e-08 in adam/paper, 1e-07 in adam/eps-hat" in text
    assert "step_size, only in adam/eps-hat" in text
    record = json.loads(json.dumps(eps_hat.to_json()))
    assert record["verdict"]["status"] == "different"
    assert record["substitutions"][0]["verdict"]["status"] == "equal"
    assert record["largest"]["relative"] == eps_hat.largest.relative


def test_a_mere_order_is_told():
    found = difference("adamw/torch", "adamw/decay-after")
    assert found.equations == ()
    first, second = found.order
    assert first.index("decay") < first.index("update")
    assert second[-1] == "decay"
    assert "order in adamw/decay-after: gradient" in found.to_text()
    assert str(found.substitutions[0]) == (
        "equal: adamw/decay-after with weight_decay = 0 and adamw/torch with weight_decay = 0"
    )


@pytest.mark.parametrize(
    ("a", "b", "found"),
    [
        ("nesterov/torch", "nesterov/paper",
         "equal: nesterov/paper and nesterov/torch under theta_b = theta + lr*momentum*b, "
         "b_b = lr*b, lr and momentum constant"),
        ("sgd/torch", "sgd/classical",
         "equal: sgd/classical with momentum in (0,inf) and sgd/torch with dampening = 0, "
         "momentum in (0,inf) under b_b = lr*b, lr constant"),
        ("sgd/torch", "sgd/ema",
         "equal: sgd/ema with lr = lr/(1 - momentum), momentum in (0,inf) and sgd/torch with "
         "dampening = 0, momentum in (0,inf) under b_b = (1 - momentum)*b, momentum constant"),
    ],
)  # fmt: skip
def test_other_variables_are_found(a, b, found):
    assert str(difference(a, b).substitutions[0]) == found


def test_nothing_is_claimed_that_is_not_there():
    assert difference("adam/paper", "adam/no-bias-correction").substitutions == ()
    assert difference("adam/paper", "sgd/torch").substitutions == ()


def test_a_guess_that_no_run_can_test_does_not_survive():
    """Nesterov with momentum 0 is not admissible, so there is nothing to learn from."""
    never = program("nesterov/torch", bindings={"momentum": 0})
    assert not survives(never, never, Relation.identity(never, never))
    torch = program("nesterov/torch")
    assert survives(torch, torch, Relation.identity(torch, torch))


def test_equal_ones_have_a_proof_and_nothing_else():
    hat = program("adam/eps-hat", bindings={"eps": "eps*sqrt(1 - beta2**t)"})
    found = difference("adam/paper", hat)
    assert found.verdict.status == "equal"
    assert found.substitutions == ()
    assert found.largest is None
    assert "By induction over the steps" in found.to_text()
    same = difference("adam/paper", "adam/paper")
    assert same.equations == ()
    assert "They have the same equations." in same.to_text()


def test_conditions_of_an_equation_are_shown():
    text = difference("sgd/torch", "sgd/classical").to_text()
    assert "b = momentum*prev(b) + (1 - dampening)*g   when momentum != 0 and not absent(b)" in text


def test_a_verdict_prints_its_counterexample():
    text = equal("adamw/torch", "adamw/decay-after").to_text(width=60)
    assert "lr = 1/16" in text
    assert "step 1: theta, " in text
    assert all(len(line) <= 60 for line in text.splitlines() if line.startswith("  "))
