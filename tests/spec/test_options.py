from __future__ import annotations

from itertools import combinations

import pytest

from instep.spec import get, ir
from instep.spec.author import algorithm, choose, holds, hyper, let, option, require, theta
from instep.spec.errors import SpecError
from instep.spec.options import assignments, decide, live_states, options_of, resolve, silent_states

ALGORITHMS = ["adam", "sgd"]


def on(name, value):
    return ir.Compare("==", ir.Opt(name), ir.Value(value))


def test_conditions_are_decided():
    options = {"mode": "a", "flag": True}
    yes, no = on("mode", "a"), on("mode", "b")
    assert decide(yes, options)
    assert not decide(no, options)
    assert decide(ir.Logic("not", (no,)), options)
    assert decide(ir.Logic("and", (yes, on("flag", True))), options)
    assert not decide(ir.Logic("and", (yes, no)), options)
    assert decide(ir.Logic("or", (no, yes)), options)
    assert not decide(ir.Logic("or", (no, no)), options)
    with pytest.raises(SpecError, match="Sym is no condition on options"):
        decide(ir.Sym("x"), options)


def test_every_assignment_that_the_requirements_allow():
    with algorithm("choosy", "Two options that do not go together") as draft:
        lr = hyper("lr", 0.1)
        side, size = option("side", "left", "right"), option("size", "small", "large", "huge")
        let("update", theta, choose(side, left=theta - lr, right=theta + lr))
        let("size", theta, choose(size, small=theta, large=2 * theta, huge=3 * theta))
        require(~((side == "left") & (size == "huge")), "the left is small")
        require(holds(lr > 0), "numbers decide nothing here")
    found = [(o["side"], o["size"]) for o in assignments(draft.algorithm)]
    assert sorted(found) == [
        ("left", "large"),
        ("left", "small"),
        ("right", "huge"),
        ("right", "large"),
        ("right", "small"),
    ]


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_resolved_body_knows_no_options(name):
    spec = get(name)
    for options in assignments(spec):
        body = resolve(spec.body, options)
        assert not any(isinstance(node, ir.Opt) for node in ir.nodes(body))
        assert ir.THETA in ir.assigned(body)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_kept_options_can_be_resolved_later(name):
    spec = get(name)
    values = {o.name: o.values for o in spec.options}
    for options in list(assignments(spec))[::7]:
        full = resolve(spec.body, options)
        for kept in combinations(values, 2):
            keep = {key: values[key] for key in kept}
            half = resolve(spec.body, options, keep)
            left = {n.name for n in ir.nodes(half) if isinstance(n, ir.Opt)}
            assert left <= set(kept)
            assert resolve(half, options) == full


def test_a_branch_that_no_kept_value_reaches_is_dropped():
    adam = get("adam")
    options = adam.option_defaults()
    body = resolve(adam.body, options, {"amsgrad": ("no", "raw")})
    assert "maximum" in {let.equation for let in ir.lets(body)}
    assert "corrected" not in {let.form for let in ir.lets(body)}
    conditions = [s.condition for s in ir.statements(body) if isinstance(s, ir.If)]
    assert {name for c in conditions for name in options_of(c)} == {"amsgrad"}


def test_resolving_keeps_lines_and_loops():
    flag = on("flag", True)
    inner = ir.If(flag, (ir.Let("x", ir.Sym("x"), ir.Const(1), line=4),), (), 3)
    data = ir.If(ir.Compare(">", ir.Sym("t"), ir.Const(1)), (inner,), (), 2)
    loop = ir.Repeat("i", ir.Const(0), ir.Const(3), (data,), flag, True, 1)
    (kept,) = resolve((loop,), {"flag": True})
    assert (kept.line, kept.until, kept.down) == (1, flag, True)
    (branch,) = kept.body
    assert (branch.line, branch.then[0].line) == (2, 4)
    assert resolve((loop,), {"flag": False})[0].body[0].then == ()


def test_states_that_exist():
    adam = get("adam")
    assert live_states(adam, adam.option_defaults()) == ("m", "v")
    assert live_states(adam, adam.option_defaults() | {"amsgrad": "raw"}) == ("m", "v", "v_max")


def test_silent_states_are_those_that_theta_never_depends_on():
    asgd = get("asgd")
    assert silent_states(asgd, asgd.option_defaults()) == ("mu", "ax")
    for name in ("adam", "rmsprop", "nadam", "rprop", "sgd"):
        algorithm = get(name)
        assert silent_states(algorithm, algorithm.option_defaults()) == ()
