from __future__ import annotations

import random
from dataclasses import replace
from itertools import islice

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instep.spec import ir, registry
from instep.spec.algebra import equal, parse, program
from instep.spec.algebra.execute import UndefinedError, UnsupportedError
from instep.spec.algebra.falsify import Search
from instep.spec.algebra.numeric import (
    IntervalDomain,
    NumericDomain,
    digits_context,
    interval_context,
    lanes,
)
from instep.spec.algebra.sampling import Space, draw, scenarios
from instep.spec.algebra.scenario import admissible, gradient, number, simulate
from instep.spec.arguments import Domain
from instep.spec.arithmetic import Exact
from instep.spec.interpret import Interpreter

FAR = 10**20


def edited(name, equation, value):
    """A dialect with one top-level equation replaced."""
    algorithm = registry.get(name)
    body = tuple(
        replace(s, value=parse(value)) if isinstance(s, ir.Let) and s.equation == equation else s
        for s in program(algorithm).body
    )
    return replace(algorithm, body=body)


# The comparison below is of single numbers.
NUMBERS = [name for name in registry.dialects() if not registry.get(name).shapes]


@pytest.mark.parametrize("name", NUMBERS)
def test_the_falsifier_and_the_interpreter_agree(name):
    """Two evaluators that share no code, at 50 digits, gradients that depend on the point."""
    algorithm = registry.get(name)
    resolved = program(algorithm)
    domain = NumericDomain(digits_context(), lambda x: x)
    space = Space.of(resolved, resolved)
    runs = (s for s in scenarios(space) if admissible(resolved, s, domain))
    runs = (s for s in runs if all(m.has_gradient for m in s.moments))
    # A cosine without eps has no value where a parameter is zero.
    runs = (s for s in runs if _is_defined(resolved, s, domain))
    few = list(islice(runs, 6))
    assert few
    for scenario in few:
        _compare(algorithm, resolved, scenario, domain)


def _is_defined(resolved, scenario, domain):
    try:
        list(simulate(resolved, scenario, domain))
    except UndefinedError:
        return False
    return True


def _compare(algorithm, resolved, scenario, domain):
    points = _parameters(number(domain, scenario.theta))
    with mpmath.workdps(55):
        runner = Interpreter(algorithm, Exact(), [np.zeros(np.shape(x) or (1,)) for x in points])
        for slot, x in zip(runner.slots, points, strict=True):
            slot.theta = slot.theta + x
        for moment, values in zip(
            scenario.moments, simulate(resolved, scenario, domain), strict=True
        ):
            runner.set({n: moment.hyperparameters[n] for n in resolved.domains})

            def oracle(points, moment=moment):
                whole = tuple(points) if len(points) > 1 else points[0]
                loss = domain.loss(domain.binary("+", whole, domain.zero))
                return loss, list(_parameters(gradient(domain, moment, whole)))

            named = (
                None
                if moment.touched
                else [np.zeros(slot.theta.shape, bool) for slot in runner.slots]
            )
            runner.step(oracle=oracle, touched=named)
            if any(abs(x) > FAR for slot in runner.slots for x in lanes(slot.theta)):
                return  # what diverges on these gradients has no digits left
            for key, value in values.items():
                _agree(key, value, runner)


def _parameters(value):
    return value if isinstance(value, tuple) else (value,)


def _agree(key, value, runner):
    if key in runner.optimizer_state:
        _close(key, value, runner.optimizer_state[key])
        return
    if isinstance(value, tuple) and key in runner.slots[0].state and _is_history(runner, key):
        for k, entry in enumerate(value):
            for slot, expected in zip(runner.slots, _parameters(entry), strict=True):
                _close(key, expected, slot.state[key][k])
        return
    for slot, expected in zip(runner.slots, _parameters(value), strict=True):
        if key != ir.THETA and key not in slot.state:
            assert runner.algorithm.state(key).shaped is not None
            continue
        got = slot.theta if key == ir.THETA else slot.state[key]
        _close(key, expected, got)


def _is_history(runner, key):
    return key != ir.THETA and runner.algorithm.state(key).shape == "history"


def _close(key, expected, got):
    for x, y in zip(lanes(expected), lanes(np.asarray(got)), strict=True):
        assert abs(x - y) <= mpmath.mpf(10) ** -40 * max(1, abs(y)), key


def test_a_counterexample_is_reproducible_and_simple():
    found = [equal("adamw/torch", "adamw/decay-after").counterexample for _ in range(2)]
    assert found[0] is not None
    assert found[0].to_json() == found[1].to_json()
    assert found[0].scenario.varying == ()
    assert len(found[0].scenario.moments) == found[0].step


def test_a_difference_within_rounding_is_not_certified():
    """At 50 digits m_hat is lost beside 10**60, so the two come out differently; they are equal."""
    other = edited("adam/paper", "update", "theta - lr*(m_hat + 10**60 - 10**60)/d")
    search = Search(program("adam/paper"), program(other))
    assert search.run(100, float("inf")) is None
    assert search.tried >= 100
    assert equal("adam/paper", other).status == "equal"


def test_one_side_without_a_value_is_a_difference():
    other = edited("sgd/torch", "update", "theta - lr*d*weight_decay/weight_decay")
    verdict = equal("sgd/torch", other)
    assert verdict.status == "different"
    assert verdict.counterexample is not None
    assert verdict.counterexample.undefined_in == "sgd/torch (b)"
    assert "has no value" in verdict.counterexample.to_text()


@pytest.mark.parametrize("text", ["[0,1)", "(0,inf)", "(-inf,inf)", "Z[1,inf)", "[0,inf)", "(0,1]"])
def test_drawn_values_lie_in_the_domain_and_reach_its_ends(text):
    domain, rng = Domain.parse(text), random.Random(1)
    drawn = [draw(rng, domain) for _ in range(400)]
    assert all(domain.contains(float(x)) for x in drawn)
    assert (0 in drawn) == domain.contains(0)
    assert len(set(drawn)) > 5


# ---- intervals


INTERVALS = IntervalDomain(interval_context(), lambda x: x)
OPERATIONS = st.recursive(
    st.fractions(-4, 4, max_denominator=7),
    lambda inner: st.tuples(
        st.sampled_from(["+", "-", "*", "max", "min", "abs", "**"]), inner, inner
    ),
    max_leaves=8,
)


def evaluated(tree, domain):
    if not isinstance(tree, tuple):
        return domain.constant(tree)
    op, a, b = tree
    x, y = evaluated(a, domain), evaluated(b, domain)
    match op:
        case "max" | "min":
            return domain.call(op, (x, y))
        case "abs":
            return domain.call(op, (domain.binary("-", x, y),))
        case "**":
            return domain.binary("**", x, domain.constant(2))
    return domain.binary(op, x, y)


@given(OPERATIONS)
def test_an_interval_holds_the_value(tree):
    context = digits_context()
    context.dps = 200
    exact = evaluated(tree, NumericDomain(context, lambda x: x))
    low, high = INTERVALS.ends(evaluated(tree, INTERVALS))
    assert low <= exact <= high
    assert high - low <= mpmath.mpf(10) ** -45 * max(1, abs(exact)) ** 3


@pytest.mark.parametrize("op", ["==", "!=", "<", "<=", ">", ">="])
def test_overlapping_intervals_decide_nothing(op):
    third, wide = INTERVALS.constant(1) / 3, INTERVALS.context.mpf([-1, 1])
    for other in (third, wide):
        with pytest.raises(UnsupportedError, match="overlap"):
            INTERVALS.test(op, other, other)
    assert INTERVALS.test("<", third, INTERVALS.constant(1))
    assert INTERVALS.test("==", INTERVALS.constant(2), 2)
    with pytest.raises(UnsupportedError, match="overlap"):
        INTERVALS.binary("/", third, wide)
