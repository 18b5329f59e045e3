"""Schedules joined to one: names, equations, closed forms, and what cannot be joined."""

from __future__ import annotations

import pytest

from instep import spec
from instep.spec import ir
from instep.spec.errors import SpecError
from instep.spec.render import text_algorithm

TWICE = "sequential(exponential-lr, sequential(exponential-lr, exponential-lr))"


def test_colliding_names_of_the_second_are_renamed():
    twice = spec.get(TWICE)
    assert [h.key for h in twice.hyperparameters] == [
        "milestone", "gamma", "next_milestone", "next_gamma", "next_next_gamma",
    ]  # fmt: skip
    assert len({h.name for h in twice.hyperparameters}) == 5
    assert twice.name == TWICE


def test_there_is_a_closed_form_where_both_have_one():
    assert spec.get("sequential(linear-lr, step-lr)").schedule.closed
    assert not spec.get("sequential(multiplicative-lr, step-lr)").schedule.closed
    assert not spec.get("chained(linear-lr, step-lr)").schedule.closed


def test_the_second_begins_from_the_rate_before_the_schedule_if_it_has_a_closed_form():
    whole = spec.get("sequential(linear-lr, step-lr)")
    (outer,) = whole.body
    (at_milestone,) = outer.otherwise
    (start,) = at_milestone.then  # no branch of it is left
    assert start.value == ir.Sym("base_lr")


def test_equations_are_cited_with_the_name_of_the_second():
    names = {let.equation for let in ir.lets(spec.get("chained(linear-lr, step-lr)").body)}
    assert names == {"rate", "between", "step-lr.rate"}
    assert "step-lr.rate" in text_algorithm(spec.get("chained(linear-lr, step-lr)"))


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("chained(linear-lr)", "joins two schedules, not 1"),
        ("chained(step-lr, step-lr, step-lr)", "joins two schedules, not 3"),
        ("chained(linear-lr, adamw)", "adamw is none"),
        ("sequential(linear-lr, reduce-lr-on-plateau)", "without a metric"),
        ("sequential(linear-lr, one-cycle-lr)", "writes other entries too"),
        ("sequential(linear-lr, multi-step-lr)", "cannot begin again"),
        ("sequential(linear-lr, step-rl)", "nearest: step-lr"),
    ],
)
def test_what_cannot_be_joined_is_refused(expression, reason):
    with pytest.raises(SpecError, match=reason):
        spec.get(expression)
