from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import mpmath
import pytest

from instep.spec import ir, registry
from instep.spec.algebra import change_of_variables, parse, program
from instep.spec.algebra.falsify import Search
from instep.spec.algebra.induction import Question, induction
from instep.spec.algebra.numeric import NumericDomain, digits_context
from instep.spec.algebra.relating import related
from instep.spec.algebra.relation import Relation
from instep.spec.algebra.scenario import Moment, Scenario, simulate
from instep.spec.errors import SpecError

# The paper's quantities, made of torch's; and the reverse.
TO_PAPER = {"theta": "theta + lr*momentum*b", "b": "lr*b"}
TO_TORCH = {"theta": "theta - momentum*b", "b": "b/lr"}
KEPT = ("lr", "momentum")


def test_torchs_nesterov_is_the_papers_while_lr_and_momentum_are_constant():
    """With any weight decay, which may even change: both take it at the look-ahead point."""
    verdict = change_of_variables("nesterov/torch", "nesterov/paper", TO_PAPER, constant=KEPT)
    assert verdict.status == "equal"
    assert verdict.proof is not None
    assert verdict.proof.conditions == ("lr and momentum constant from step to step",)
    text = verdict.proof.to_text(width=2000)
    assert "theta_b = b*lr*momentum + theta" in text
    assert "b_b = b*lr" in text
    assert "dampening = 0, weight_decay > 0, b absent" in text


def test_the_other_direction_needs_a_learning_rate_above_zero():
    verdict = change_of_variables("nesterov/paper", "nesterov/torch", TO_TORCH, constant=KEPT)
    assert verdict.status == "equal"
    assert verdict.proof is not None
    assert "lr is not 0" in verdict.proof.conditions


def test_the_derivation_is_rendered_as_latex():
    verdict = change_of_variables("nesterov/torch", "nesterov/paper", TO_PAPER, constant=KEPT)
    assert verdict.proof is not None
    latex = verdict.proof.to_latex()
    assert r"\theta_{b} = b \gamma \mu + \theta" in latex
    assert r"\text{b, substituted: } \theta_{b}'" in latex
    assert latex.count(r"\begin{align*}") == latex.count(r"\end{align*}") == 5
    record = verdict.to_json()
    assert record["status"] == "equal"
    assert record["proof"]["steps"][0]["displays"][0]["text"].startswith("theta_b = ")


@pytest.mark.parametrize("kept", [("momentum",), ("lr",), ()])
def test_it_fails_under_a_schedule(kept):
    verdict = change_of_variables("nesterov/torch", "nesterov/paper", TO_PAPER, constant=kept)
    assert verdict.status == "different"
    assert verdict.counterexample is not None
    assert set(verdict.counterexample.scenario.varying) == set(KEPT) - set(kept) or (
        len(verdict.counterexample.scenario.varying) == 1
    )


@pytest.mark.parametrize("kept", [("momentum",), ("lr",), ()])
def test_the_prover_alone_refuses_a_schedule(kept):
    a, b = program("nesterov/torch"), program("nesterov/paper")
    question = Question(a, b, Relation.of(a, b, TO_PAPER), frozenset(kept))
    reason = induction(question, 10.0)[1]
    assert reason is not None
    assert reason.startswith("the canonical forms of")


def test_how_far_they_come_apart_when_the_learning_rate_is_halved():
    """The paper's velocity keeps the old rate: they are mu (lr - lr') b apart, then more."""
    a, b = program("nesterov/torch"), program("nesterov/paper")
    relation = Relation.of(a, b, TO_PAPER)
    scenario = _halved_after(5)
    domain = NumericDomain(digits_context(), lambda x: x)
    runs = zip(simulate(a, scenario, domain), simulate(b, scenario, domain), strict=True)
    pairing = related(a, b, relation)
    before, apart = mpmath.mpf(0), []
    with mpmath.workdps(50):
        for step, (left, right) in enumerate(runs, 1):
            pairs = pairing(domain, scenario, step, left, right)
            apart.append({name: abs(x - y) for name, (x, y) in pairs.items()})
            if step == 5:
                before = left["b"]
        assert max(x for pair in apart[:5] for x in pair.values()) < mpmath.mpf(10) ** -45
        expected = mpmath.mpf(9) / 10 * (mpmath.mpf(1) / 10 - mpmath.mpf(1) / 20) * before
        assert abs(apart[5]["b"] - expected) < mpmath.mpf(10) ** -45
        assert apart[6]["theta"] > mpmath.mpf("0.07")
    found = Search(a, b, (), pairing).difference(scenario)
    assert found is not None
    assert (found.step, found.quantity) == (6, "b")


def _halved_after(steps: int) -> Scenario:
    """A gradient of x/(1 + x**2) from x = 1, lr 0.1 and then 0.05, momentum 0.9."""

    def moment(i: int) -> Moment:
        lr = Fraction(1, 10) if i < steps else Fraction(1, 20)
        values = {"lr": lr, "momentum": Fraction(9, 10)}
        values |= {"dampening": Fraction(0), "weight_decay": Fraction(0)}
        return Moment(values, Fraction(0), Fraction(1))

    return Scenario(Fraction(1), tuple(moment(i) for i in range(2 * steps)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"theta": "theta - lr*momentum*b", "b": "lr*b"},
        {"theta": "theta + lr*momentum*b", "b": "b"},
        {"theta": "theta + momentum*b", "b": "lr*b"},
        {"b": "lr*b"},
    ],
)
def test_a_wrong_substitution_is_refuted(wrong):
    verdict = change_of_variables("nesterov/torch", "nesterov/paper", wrong, constant=KEPT)
    assert verdict.status == "different"


def test_the_classical_buffer_is_torchs_times_the_learning_rate():
    known = {"bindings": {"dampening": 0}, "domains": {"momentum": "(0,inf)"}}
    settings = {"constant": ("lr",), **known}
    claim = ("sgd/torch", "sgd/classical", {"b": "lr*b"})
    assert change_of_variables(*claim, **settings).status == "equal"
    assert change_of_variables(*claim, **known).status == "different"
    assert change_of_variables(*claim, constant=("lr",), **known | {"bindings": {}}).status == (
        "different"
    )


def test_the_average_is_torchs_buffer_times_one_minus_momentum():
    a = program("sgd/torch", bindings={"dampening": 0}, domains={"momentum": "(0,1)"})
    b = program("sgd/ema", bindings={"lr": "lr/(1 - momentum)"}, domains={"momentum": "(0,1)"})
    claim = {"b": "(1 - momentum)*b"}
    assert change_of_variables(a, b, claim, constant=("momentum",)).status == "equal"
    assert change_of_variables(a, b, claim, constant=("lr",)).status == "different"


def test_a_substitution_may_depend_on_the_step():
    """A first moment kept corrected, m/(1 - beta1**t): the first step is a case of its own."""
    adam = registry.get("adam/paper")
    new = {
        "first_moment": "(beta1*(1 - beta1**(t - 1))*prev(m) + (1 - beta1)*g)/(1 - beta1**t)",
        "first_correction": "m",
    }
    body = tuple(
        replace(s, value=parse(new[s.equation]))
        if isinstance(s, ir.Let) and s.equation in new
        else s
        for s in program(adam).body
    )
    other = replace(adam, body=body)
    claim = {"m": "m/(1 - beta1**t)"}
    verdict = change_of_variables(adam, other, claim, constant=("beta1",))
    assert verdict.status == "equal"
    assert verdict.proof is not None
    assert "the first step" in verdict.proof.to_text(width=2000)


def test_unknown_names_are_refused():
    with pytest.raises(SpecError, match="nesterov/paper has no 'velocity'"):
        change_of_variables("nesterov/torch", "nesterov/paper", {"velocity": "b"})
    with pytest.raises(SpecError, match="substitution for b: nesterov/torch has no 'v'"):
        change_of_variables("nesterov/torch", "nesterov/paper", {"b": "lr*v"})
