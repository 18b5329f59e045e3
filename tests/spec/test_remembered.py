"""Answers are kept by what was asked about, and not confused with those about anything else."""

from __future__ import annotations

from instep.spec import get
from instep.spec.options import resolve
from instep.spec.remembered import remembered


def counted():
    calls = []

    @remembered
    def length(thing, add=0):
        calls.append((thing, add))
        return len(thing) + add

    return length, calls


def test_the_same_question_is_answered_once():
    length, calls = counted()
    thing = (1, 2)
    assert [length(thing), length(thing), length(thing, 1), length(thing, add=2)] == [2, 2, 3, 4]
    assert calls == [(thing, 0), (thing, 1), (thing, 2)]


def test_equal_things_are_asked_about_separately():
    length, calls = counted()
    assert length([1]) == length([1, 2]) - 1
    assert length([1]) == 1
    assert len(calls) == 3


def test_a_thing_is_kept_as_long_as_its_answer():
    """Else its identity could be another's, who would get its answer."""
    length, calls = counted()
    for size in range(5000):
        assert length(list(range(size % 7))) == size % 7
    assert len(calls) == 5000


def test_bodies_are_told_apart_by_their_options():
    body = get("sgd").body
    own = get("sgd").option_defaults()
    plain, nesterov = resolve(body, own), resolve(body, {**own, "nesterov": True})
    assert plain != nesterov
    assert resolve(body, own) is plain
