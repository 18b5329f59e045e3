"""Composition: a wrapper and what it wraps become one plain algorithm that does the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instep.spec import get, ir, meanings, names, render, wrappers
from instep.spec.arithmetic import Float64
from instep.spec.author import (
    algorithm,
    apply,
    counter,
    grad,
    hyper,
    inner,
    let,
    local,
    prev,
    repeat,
    signature,
    sqrt,
    state,
    theta,
    total_over_params,
    view,
)  # fmt: skip
from instep.spec.compose import compose
from instep.spec.errors import SpecError, UnknownSpecError
from instep.spec.interpret import Interpreter
from instep.spec.renaming import distinct

with algorithm("halved", "Half of the way") as _draft:
    base = inner("base")
    apply(base)
    let("half", theta, (theta + prev(theta)) / 2)
HALVED = _draft.algorithm

with algorithm("scaled", "Scaled gradient") as _draft:
    scale, base, g = hyper("lr", 0.25, name="scale"), inner("base"), local("g")
    let("norm", g, scale * grad(theta) / sqrt(total_over_params(grad(theta) ** 2)))
    apply(base, gradient=g)
SCALED = _draft.algorithm


def data(steps=7):
    random = np.random.default_rng(5)
    start = [random.normal(size=s) for s in ((3,), (2, 2))]
    gradients = [[random.normal(size=p.shape) for p in start] for _ in range(steps)]
    gradients[2][1] = None
    return start, gradients


def run(spec, start, gradients, **values):
    runner = Interpreter(spec, Float64(), start, hyperparameters=values)
    for g in gradients:
        runner.step(g)
    return [slot.theta for slot in runner.slots]


def lookahead_by_hand(spec, start, gradients, k, alpha, **values):
    """The inner algorithm alone, pulled back after every k-th step of a parameter."""
    runner = Interpreter(spec, Float64(), start, hyperparameters=values)
    return pulled_back(runner, start, gradients, k, alpha)


def pulled_back(runner, start, gradients, k, alpha):
    slow = [np.array(p) for p in start]
    for g in gradients:
        runner.step(g)
        for i, slot in enumerate(runner.slots):
            if g[i] is not None and slot.count % k == 0:
                slow[i] = slow[i] + alpha * (slot.theta - slow[i])
                slot.theta = slow[i]
    return [slot.theta for slot in runner.slots]


@pytest.mark.parametrize("name", ["sgd", "nesterov/torch", "adamw", "adamw/decay-after"])
def test_lookahead_composed_is_lookahead_around_a_run_of_its_own(name):
    start, gradients = data()
    whole = get(f"lookahead({name})")
    for k in (1, 3):
        composed = run(whole, start, gradients, k=k, alpha=0.75, lr=0.5)
        nested = lookahead_by_hand(get(name), start, gradients, k, 0.75, lr=0.5)
        for a, b in zip(composed, nested, strict=True):
            assert np.array_equal(a, b)


def test_no_slot_is_left_and_inner_equations_are_cited_with_their_name():
    whole = get("lookahead(adamw)")
    assert whole.slots == ()
    assert not any(isinstance(s, ir.Apply) for s in ir.statements(whole.body))
    assert "adamw.update" in {let.equation for let in ir.lets(whole.body)}
    assert render.text_equation(whole, "synchronise", ascii=True) == "theta <- slow"


def test_names_that_collide_bear_the_slot():
    twice = get("lookahead(lookahead(sgd))")
    assert {"k", "fast_k", "alpha", "fast_alpha"} <= {h.name for h in twice.hyperparameters}
    assert {h.key for h in twice.hyperparameters} >= {"k", "fast_k"}
    assert {s.key for s in twice.states} >= {"slow_buffer", "fast_slow_buffer"}
    assert [v.name for v in twice.views] == ["eval", "fast_eval"]
    assert "lookahead.sgd.update" in {let.equation for let in ir.lets(twice.body)}


@given(
    st.sets(st.sampled_from(["k", "fast_k", "fast_fast_k", "lr", "fast_lr", "k_fast"]), min_size=1),
    st.sets(st.sampled_from(["k", "fast_k", "lr", "fast_fast_lr"])),
)
def test_no_two_names_become_one(names, taken):
    found = distinct(names, taken, "fast")
    assert found.keys() == names
    assert len({*found.values(), *taken}) == len(names) + len(taken)
    assert {n for n in names if found[n] == n} <= names - taken


def test_every_wrapper_around_wrappers_has_names_of_its_own():
    thrice = get("lookahead(lookahead(lookahead(sgd)))")
    own = [h.key for h in thrice.hyperparameters]
    assert [k for k in own if k.endswith("k")] == ["fast_fast_k", "fast_k", "k"]
    assert len({h.name for h in thrice.hyperparameters}) == len(thrice.hyperparameters)
    assert len({s.key for s in thrice.states}) == len(thrice.states)
    assert [v.name for v in thrice.views] == ["eval", "fast_eval", "fast_fast_eval"]


def test_three_wrappers_composed_are_lookahead_around_a_run_of_its_own():
    start, gradients = data()
    inner_k, inner_alpha = {"k": 1, "fast_k": 3}, {"alpha": 0.5, "fast_alpha": 0.25}
    inner = Interpreter(
        get("lookahead(lookahead(sgd))"),
        Float64(),
        start,
        hyperparameters={**inner_k, **inner_alpha, "lr": 0.5},
    )
    renamed = {f"fast_{name}": value for name, value in {**inner_k, **inner_alpha}.items()}
    whole = get("lookahead(lookahead(lookahead(sgd)))")
    composed = run(whole, start, gradients, k=2, alpha=0.75, lr=0.5, **renamed)
    for a, b in zip(composed, pulled_back(inner, start, gradients, 2, 0.75), strict=True):
        assert np.array_equal(a, b)


def test_dialects_of_both_are_dialects_of_the_whole():
    whole = get("lookahead/calls(adamw/decay-after)")
    assert whole.name == "lookahead(adamw)"
    assert whole.full_name == "lookahead/calls(adamw/decay-after)"
    assert whole.pinned == {"count": "calls", "decay": "after"}
    assert whole.defaults()["weight_decay"] == 1e-2
    assert get("lookahead(adam/eps-hat)").name == "lookahead(adam)"
    assert "lookahead/paper(amsgrad/torch)" in {d.name for d in whole.dialects}


def test_a_spec_without_dialects_can_be_wrapped():
    whole = compose(HALVED, SCALED_SGD)
    assert (whole.name, whole.dialects, whole.dialect) == ("halved(plain)", (), None)


with algorithm("plain", "Gradient descent") as _draft:
    rate, halfway = hyper("lr", 0.5), local("halfway")
    let("halfway", halfway, prev(theta) - rate * grad(theta))
    let("update", theta, halfway - rate * grad(theta))
SCALED_SGD = _draft.algorithm


def test_the_old_parameter_of_the_inner_one_is_where_it_is_applied():
    start, gradients = data()
    with algorithm("shifted", "Shift, then step") as draft:
        slot = inner("base")
        let("shift", theta, theta + 1)
        apply(slot)
    shifted = compose(draft.algorithm, SCALED_SGD)
    assert "plain.start" in {let.equation for let in ir.lets(shifted.body)}
    moved = run(shifted, start, gradients[:1], lr=0.5)
    expected = run(SCALED_SGD, [p + 1 for p in start], gradients[:1], lr=0.5)
    for a, b in zip(moved, expected, strict=True):
        assert np.array_equal(a, b)


def test_a_given_gradient_replaces_the_inner_ones_own():
    start, gradients = data()
    whole = compose(SCALED, get("sgd"))
    moved = run(whole, start, gradients[:1], scale=0.5, lr=0.25)
    norm = np.sqrt(sum(np.sum(g * g) for g in gradients[0]))
    for a, p, g in zip(moved, start, gradients[0], strict=True):
        assert np.array_equal(a, p - 0.25 * (0.5 * g / norm))


def test_keys_of_the_constructor_collide_by_key_and_symbols_by_symbol():
    whole = compose(SCALED, get("sgd"))
    found = {h.name: h.key for h in whole.hyperparameters}
    assert (found["scale"], found["lr"]) == ("lr", "base_lr")
    assert "base_g" in ir.assigned(whole.body)


def test_inner_options_that_move_the_gradient_are_dropped_where_it_is_replaced():
    whole = compose(SCALED, get("sgd"))
    assert whole.option("gradient_at").values == ("stored",)
    assert not any("nesterov/paper" in d.name for d in whole.dialects)
    with pytest.raises(SpecError, match="nesterov/paper takes its gradient away from the stored"):
        compose(SCALED, get("nesterov/paper"))
    assert get("lookahead(nesterov/paper)").option("gradient_at").default == "lookahead"


def test_counters_of_different_scope_become_a_state_beside_the_inner_one():
    with algorithm("counting", "Counts calls") as draft:
        t, slot = counter(scope="optimizer"), inner("base")
        apply(slot)
        let("shrink", theta, theta / t)
    whole = compose(draft.algorithm, get("adam"))
    assert whole.counter.scope == "parameter"
    assert whole.state("t").key == "counting_step"
    start, gradients = data(3)
    other = Interpreter(get("adam"), Float64(), start)
    for step, g in enumerate(gradients, start=1):
        other.step(g)
        for i, slot_ in enumerate(other.slots):
            slot_.theta = slot_.theta if g[i] is None else slot_.theta / step
    for a, slot_ in zip(run(whole, start, gradients), other.slots, strict=True):
        assert np.array_equal(a, slot_.theta)


def test_a_slot_in_a_loop_and_a_spec_without_slot_are_refused():
    with algorithm("looped", "In a loop") as draft:
        slot = inner("base")
        with repeat(3):
            apply(slot)
    with pytest.raises(SpecError, match=r"looped: apply\(base\) stands in a loop"):
        compose(draft.algorithm, get("sgd"))
    with pytest.raises(SpecError, match="sgd has no place for another algorithm"):
        get("sgd(adamw)")


def test_a_state_absent_inside_stays_absent_under_its_new_name():
    with algorithm("averaging", "Keeps the first step") as draft:
        slot, b = inner("base"), state("b", "momentum_buffer", init=theta)
        apply(slot)
        let("keep", b, prev(b) + theta)
        view("eval", b)
    whole = compose(draft.algorithm, get("sgd"))
    assert ir.Absent("base_b") in set(ir.nodes(whole.body))
    assert whole.state("base_b").key == "base_momentum_buffer"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lookahead", "lookahead wraps another algorithm: write lookahead"),
        ("lookahead(adamw", "lacks a closing parenthesis"),
        ("lookahead(adamx)", "nearest: .*adam"),
        ("lookahed(adamw)", "nearest: lookahead"),
    ],
)
def test_expressions_that_name_nothing_say_so(name, message):
    with pytest.raises((SpecError, UnknownSpecError), match=message):
        get(name)


def test_a_name_may_stand_for_several_compositions():
    assert get("ranger").full_name == "ranger/radam"
    found = [d.name for d in meanings(get("ranger"))]
    assert found[0] == "ranger/radam"
    assert "ranger/centralized" in found
    assert "centralize.centralized" in {x.equation for x in ir.lets(get(found[-1]).body)}
    assert meanings(get("sgd"))[0].name == "sgd/torch"
    assert meanings(SCALED_SGD) == []


def test_wrappers_are_listed_apart_from_complete_algorithms():
    assert "lookahead" in wrappers()
    assert "lookahead" not in names()


def test_the_constructor_takes_inner_arguments_first_and_outer_ones_before_keywords():
    with algorithm("ordered", "A declared order") as draft:
        rate, wd = hyper("lr", 0.5), hyper("weight_decay", 0.0)
        signature("weight_decay", "lr", "*", "foreach")
        let("update", theta, theta - rate * grad(theta) - wd * theta)
    ordered = draft.algorithm
    whole = compose(HALVED, ordered)
    assert whole.signature == ("weight_decay", "lr", "*", "foreach")
    assert compose(SCALED, ordered).signature == ("weight_decay", "base_lr", "lr", "*", "foreach")
