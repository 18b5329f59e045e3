from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import mpmath
import pytest

from instep.spec import ir, registry
from instep.spec.algebra import Budget, equal, parse, program
from instep.spec.algebra.explain import explain
from instep.spec.algebra.induction import Question, induction
from instep.spec.algebra.invariants import nonnegative_states
from instep.spec.algebra.numeric import NumericDomain, digits_context
from instep.spec.algebra.relation import Relation
from instep.spec.algebra.scenario import Moment, Scenario, simulate
from instep.spec.errors import SpecError

QUICK = Budget(points=200, search_seconds=1.0)
HAT = {"eps": "eps*sqrt(1 - beta2**t)"}


def edited(name: str, equation: str, value: str | None, *, last: bool = False) -> object:
    """A dialect with one equation replaced, dropped (None) or moved to the end."""
    algorithm = registry.get(name)
    body = program(algorithm).body

    def rewritten(part: ir.Body) -> ir.Body:
        out: list[ir.Stmt] = []
        for s in part:
            match s:
                case ir.If():
                    out.append(replace(s, then=rewritten(s.then), otherwise=rewritten(s.otherwise)))
                case ir.Let() if s.equation == equation:
                    out += [] if value is None else [replace(s, value=parse(value))]
                case _:
                    out.append(s)
        return tuple(out)

    moved = tuple(s for s in ir.lets(body) if s.equation == equation) if last else ()
    return replace(algorithm, body=(*rewritten(body), *moved))


# ---- claims


def test_eps_hat_with_the_scaled_eps_is_the_papers_adam():
    verdict = equal("adam/paper", program("adam/eps-hat", bindings=HAT))
    assert verdict.status == "equal"
    assert verdict.proof is not None
    text = verdict.proof.to_text(width=2000)
    assert "where eps = eps*sqrt(1 - beta2**t) in adam/eps-hat" in text
    assert "v >= 0, which its equations keep" in text
    assert "1 - beta2**t > 0" in text
    assert "Case weight_decay > 0" in text


def test_a_proof_that_just_made_it_is_written_down_in_peace():
    a, b = program("adam/paper"), program("adam/eps-hat", bindings=HAT)
    names = frozenset({ir.THETA})
    question = Question(a, b, Relation.identity(a, b), frozenset(), names)
    attempt, reason = induction(question, 60)
    assert reason is None
    attempt.ring.deadline = -1.0
    assert explain(attempt).steps


@pytest.mark.parametrize("eps", ["eps", "eps*(1 - beta2**t)", "eps/sqrt(1 - beta2**t)"])
def test_eps_hat_with_another_eps_is_not(eps):
    verdict = equal("adam/paper", program("adam/eps-hat", bindings={"eps": eps}))
    assert verdict.status == "different"
    assert verdict.counterexample is not None
    assert verdict.counterexample.relative > 1e-9


@pytest.mark.parametrize(
    ("a", "b", "settings"),
    [
        ("adam/paper", "adamw/torch", {"bindings": {"weight_decay": 0}}),
        ("adamw/torch", "adamw/decay-after", {"bindings": {"weight_decay": 0}}),
        ("adam/paper", "adam/eps-hat", {"bindings": {"eps": 0}}),
        ("amsgrad/torch", "amsgrad/corrected", {"bindings": {"beta2": 0}}),
        ("sgd/torch", "sgd/classical", {"bindings": {"momentum": 0}}),
        ("sgd/torch", "sgd/ema", {"bindings": {"momentum": 0}}),
        ("adamw/torch", "adamw/decay-unscaled", {"bindings": {"lr": 1}}),
    ],
)
def test_equal_where_what_differs_is_off(a, b, settings):
    assert equal(a, b, **settings).status == "equal"
    assert equal(a, b).status == "different"


@pytest.mark.parametrize(
    ("name", "bindings", "other", "shared"),
    [
        ("lookahead(sgd)", {"k": 1, "alpha": 1}, "sgd", {}),
        ("sgdw", {}, "sgd", {"weight_decay": 0}),
        ("signum", {"momentum": 0}, "signsgd", {}),
        ("lion", {"beta1": 0, "beta2": 0}, "signsgd", {}),
        ("nadam", {}, "adam", {"beta1": 0}),
        ("ademamix", {"alpha": 0}, "adamw", {}),
    ],
)
def test_one_algorithm_is_another_where_what_it_adds_is_off(name, bindings, other, shared):
    off = program(name, bindings={**bindings, **shared})
    assert equal(off, program(other, bindings=shared)).status == "equal"
    assert equal(name, other).status == "different"


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("adamw/torch", "adamw/decay-after"),
        ("adam/paper", "adam/no-bias-correction"),
        ("adam/paper", "adam/eps-inside"),
        ("adamw/hugging-face", "adamw/bert"),
        ("nesterov/torch", "nesterov/paper"),
        ("nesterov/torch", "sgd/torch"),
    ],
)
def test_dialects_differ(a, b):
    assert equal(a, b).status == "different"


def test_dampening_equal_to_momentum_does_not_make_torchs_buffer_an_average():
    """The first buffers are g and (1 - mu) g, and the difference decays but never goes."""
    bound = {"dampening": "momentum"}
    verdict = equal(program("sgd/torch", bindings=bound), "sgd/ema")
    assert verdict.status == "different"
    assert verdict.counterexample is not None
    assert verdict.counterexample.step == 1
    apart = _buffers_apart(bound)
    momentum = Fraction(7, 8)
    assert apart[0] == momentum * Fraction(3, 2)
    assert apart[1:] == [apart[0] * momentum**k for k in range(1, len(apart))]


def _buffers_apart(bound: dict[str, str]) -> list[Fraction]:
    domain = NumericDomain(digits_context(), lambda x: x)
    values = {"lr": Fraction(1, 16), "momentum": Fraction(7, 8)}
    values |= {"dampening": Fraction(0), "weight_decay": Fraction(0)}
    moments = tuple(Moment(values, Fraction(3, 2) / 2**i, Fraction(0)) for i in range(4))
    scenario = Scenario(Fraction(1), moments)
    programs = (program("sgd/torch", bindings=bound), program("sgd/ema"))
    runs = [list(simulate(p, scenario, domain)) for p in programs]
    with mpmath.workdps(50):
        return [Fraction(str(x["b"] - y["b"])) for x, y in zip(*runs, strict=True)]


def test_a_difference_that_needs_a_changing_learning_rate():
    known = {"bindings": {"dampening": 0}, "domains": {"momentum": "(0,inf)"}}
    verdict = equal("sgd/torch", "sgd/classical", **known)
    assert verdict.status == "different"
    assert verdict.counterexample is not None
    assert verdict.counterexample.scenario.varying == ("lr",)
    assert equal("sgd/torch", "sgd/classical", constant=("lr",), **known).status == "equal"


def test_torchs_buffer_rests_while_momentum_is_zero():
    """The classical one does not, so they also differ where momentum passes through 0."""
    verdict = equal("sgd/torch", "sgd/classical", bindings={"dampening": 0}, constant=("lr",))
    assert verdict.status == "different"
    assert verdict.counterexample is not None
    assert "momentum" in verdict.counterexample.scenario.varying


# ---- mutants


@pytest.mark.parametrize(
    ("name", "equation", "value"),
    [
        ("adam/paper", "denominator", "eps + sqrt(v_hat)"),
        ("adam/paper", "update", "theta - lr*m_hat/d"),
        ("adam/paper", "update", "theta + m_hat*(-lr)/d"),
        ("adam/paper", "second_moment", "prev(v) + (1 - beta2)*(g*g - prev(v))"),
        ("adam/paper", "first_moment", "g - beta1*(g - prev(m))"),
        ("adam/paper", "denominator", "abs(sqrt(v_hat)) + eps"),
        ("adam/paper", "denominator", "sqrt(max(v_hat, 0)) + eps"),
        ("adam/paper", "denominator", "sqrt(v)/sqrt(1 - beta2**t) + eps"),
        ("amsgrad/torch", "maximum", "max(v, prev(v_max))"),
        ("amsgrad/torch", "denominator", "max(sqrt(v), sqrt(v_max))/sqrt(1 - beta2**t) + eps"),
        ("sgd/torch", "buffer", "prev(b)*momentum + g - dampening*g"),
        ("nesterov/torch", "buffer", "momentum*prev(b) + g"),
    ],
)
def test_rewritten_equations_are_proved_equal(name, equation, value):
    assert equal(name, edited(name, equation, value), budget=QUICK).status == "equal"


MISTAKES = pytest.mark.parametrize(
    ("name", "equation", "value"),
    [
        ("adam/paper", "denominator", "sqrt(v_hat)"),
        ("adam/paper", "denominator", "sqrt(v_hat) - eps"),
        ("adam/paper", "denominator", "sqrt(v_hat + eps)"),
        ("adam/paper", "denominator", "sqrt(v_hat) + 10*eps"),
        ("adam/paper", "second_moment", "beta1*prev(v) + (1 - beta2)*g**2"),
        ("adam/paper", "second_moment", "beta2*v + (1 - beta2)*g"),
        ("adam/paper", "first_correction", "m/(1 - beta1**(t + 1))"),
        ("adam/paper", "l2", None),
        ("amsgrad/torch", "maximum", "prev(v_max)"),
        ("amsgrad/torch", "maximum", "min(prev(v_max), v)"),
        ("adamw/torch", "decay", "theta - weight_decay*theta"),
        ("sgd/torch", "first_buffer", "(1 - dampening)*g"),
        ("nesterov/torch", "direction", "b"),
        ("nesterov/paper", "point", "theta"),
    ],
)


@MISTAKES
def test_mistakes_are_refuted(name, equation, value):
    verdict = equal(name, edited(name, equation, value), budget=QUICK)
    assert verdict.status == "different"
    assert verdict.a.endswith("(a)")
    assert verdict.b.endswith("(b)")


def proved(a, b, **about):
    """Whether the prover alone, without a search before it, takes two for equal."""
    left, right = program(a), program(b)
    question = Question(left, right, Relation.identity(left, right), **about)
    return induction(question, 10.0)[1] is None


@MISTAKES
def test_the_prover_alone_does_not_prove_a_mistake(name, equation, value):
    assert not proved(name, edited(name, equation, value))


def test_the_prover_needs_the_states_on_which_the_parameters_depend():
    """Both updates read the stored v alone: the wrong one shows in the state, a step earlier."""
    late = edited("adam/paper", "second_correction", "prev(v)/(1 - beta2**t)")
    wrong = replace(late, body=tuple(_without_square(s) for s in late.body))
    assert proved(late, late)
    assert not proved(late, wrong)
    assert equal(late, wrong, budget=QUICK).status == "different"


def _without_square(s: ir.Stmt) -> ir.Stmt:
    if isinstance(s, ir.Let) and s.equation == "second_moment":
        return replace(s, value=parse("beta2*prev(v) + (1 - beta2)*abs(g)"))
    return s


def test_the_prover_does_not_take_one_counter_for_another():
    adam = registry.get("adam/paper")
    assert adam.counter is not None
    assert not proved(adam, replace(adam, counter=replace(adam.counter, scope="optimizer")))


def test_the_prover_minds_where_a_step_is_defined():
    assert not proved("sgd/torch", edited("sgd/torch", "update", "theta - lr*d*theta/theta"))
    assert not proved("sgd/torch", edited("sgd/torch", "update", "theta - lr*d*sqrt(g)/sqrt(g)"))


def test_an_equation_moved_to_the_end():
    assert equal("nesterov/paper", edited("nesterov/paper", "l2", None, last=True)).status == (
        "different"
    )
    late = edited("adamw/torch", "decay", None, last=True)
    assert equal("adamw/decay-after", late).status == "equal"


def test_states_that_no_run_reaches_do_not_count():
    """Nothing negative ever reaches the root."""
    value = "sqrt(abs(v)/(1 - beta2**t)) + eps"
    assert equal("adam/paper", edited("adam/paper", "denominator", value)).status == "equal"


def test_an_initial_value_counts():
    adam = registry.get("adam/paper")
    ones = tuple(replace(s, init=ir.Const(1)) if s.name == "v" else s for s in adam.states)
    assert equal(adam, replace(adam, states=ones)).status == "different"
    idle = tuple(replace(s, init=ir.Const(1)) if s.name == "v_max" else s for s in adam.states)
    assert equal(adam, replace(adam, states=idle)).status == "equal"


def test_a_buffer_that_starts_at_zero_is_an_absent_one_without_dampening():
    sgd = registry.get("sgd/torch")
    zero = replace(sgd, states=tuple(replace(s, init=ir.Const(0)) for s in sgd.states))
    assert equal(sgd, zero, bindings={"dampening": 0}).status == "equal"
    assert equal(zero, sgd, bindings={"dampening": 0}).status == "equal"
    assert equal(sgd, zero).status == "different"


def test_a_counter_of_the_optimizer_differs_once_a_parameter_is_passed_over():
    adam = registry.get("adam/paper")
    assert adam.counter is not None
    shared = replace(adam, counter=replace(adam.counter, scope="optimizer"))
    verdict = equal(adam, shared)
    assert verdict.status == "different"
    assert verdict.counterexample is not None
    assert "none" in verdict.counterexample.to_text()
    plain = registry.get("adam/no-bias-correction")
    assert plain.counter is not None
    unread = replace(plain, counter=replace(plain.counter, scope="optimizer"))
    assert equal(plain, unread).status == "equal"


def test_a_scaled_state_is_found():
    """M unnormalised: the same parameters, while beta1 does not change."""
    adam = registry.get("adam/paper")
    other = edited("adam/paper", "first_moment", "beta1*prev(m) + g")
    body = tuple(
        replace(s, value=parse("(1 - beta1)*m/(1 - beta1**t)"))
        if isinstance(s, ir.Let) and s.equation == "first_correction"
        else s
        for s in other.body
    )
    other = replace(other, body=body)
    assert equal(adam, other, constant=("beta1",)).status == "equal"
    assert equal(adam, other).status == "different"
    assert equal(adam, other, constant=("beta1",), observe="all").status == "different"


def test_undecided_is_said_with_a_reason():
    """Equal, but by a trigonometric-like identity that the algebra does not know."""
    value = "exp(log(sqrt(v_hat) + eps))"
    other = edited("adam/paper", "denominator", value)
    verdict = equal("adam/paper", other, domains={"eps": "(0,inf)"}, budget=QUICK)
    assert verdict.status == "undecided"
    assert "differ" in verdict.reason
    assert verdict.points > 100
    assert verdict.to_text().startswith("undecided: adam/paper (a)")
    assert verdict.to_json()["proof"] is None


# ---- invariants


def test_second_moments_are_found_nonnegative_whatever_they_are_called():
    assert nonnegative_states(program("adam/paper")) == {"v"}
    assert nonnegative_states(program("amsgrad/torch")) == {"v", "v_max"}
    assert nonnegative_states(program("sgd/torch")) == set()
    linear = edited("adam/paper", "second_moment", "beta2*prev(v) + (1 - beta2)*g")
    assert nonnegative_states(program(linear)) == set()
    below = edited("adam/paper", "second_moment", "beta2*prev(v) - (1 - beta2)*g**2")
    assert nonnegative_states(program(below)) == set()


# ---- arguments


def test_bad_arguments_are_one_clear_line():
    with pytest.raises(SpecError, match="adam has no hyperparameter 'epsilon'; it has lr"):
        equal("adam/paper", "adam/eps-hat", bindings={"epsilon": 0})
    with pytest.raises(SpecError, match="is no expression"):
        program("adam/paper", bindings={"eps": "eps*"})
    with pytest.raises(SpecError, match="is not an interval"):
        program("adam/paper", domains={"eps": "0..1"})
    with pytest.raises(SpecError, match="its options are decided already"):
        program(program("adam/paper"), options={"maximize": True})


def test_options_apply_to_both():
    assert equal("adam/paper", "adam/paper", options={"maximize": True}).status == "equal"
    ascent = program("adam/paper", options={"maximize": True})
    assert equal("adam/paper", ascent).status == "different"
