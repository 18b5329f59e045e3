"""Substitution proves what needs no algebra, and nothing that is not so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from instep.spec import get, ir
from instep.spec.algebra import equal, parse, program
from instep.spec.algebra.values import folded, same_values


def edited(name, equation, change):
    """A dialect with one statement of its resolved body changed into others."""
    algorithm = get(name)

    def go(body):
        for s in body:
            if isinstance(s, ir.If):
                named = [let.equation for let in ir.lets(s.then)]
                inner = replace(s, then=tuple(go(s.then)), otherwise=tuple(go(s.otherwise)))
                yield from change(inner) if named == [equation] else (inner,)
            else:
                yield from change(s) if s.equation == equation else (s,)

    return program(replace(algorithm, body=tuple(go(program(algorithm).body))))


def twice(s):
    return (s, s) if isinstance(s, ir.Let) else (s,)


def always(s):
    return s.then if isinstance(s, ir.If) else (s,)


@pytest.mark.parametrize(
    ("name", "equation", "change"),
    [("radam", "first_moment", twice), ("radam", "l2", always), ("adamw", "second_moment", twice)],
)
def test_equal_by_substitution(name, equation, change):
    other = edited(name, equation, change)
    assert other.body != program(name).body
    assert same_values(other, program(name))
    verdict = equal(other, name)
    assert "With every value put where it is read" in verdict.proof.to_text(width=200)


def flipped(s):
    if not isinstance(s, ir.If):
        return (s,)
    return (replace(s, condition=ir.Logic("not", (s.condition,))),)


@pytest.mark.parametrize(
    ("name", "equation", "change"),
    [("radam", "l2", twice), ("radam", "l2", flipped), ("adamw", "update", twice)],
)
def test_not_equal(name, equation, change):
    other = edited(name, equation, change)
    changed = other.body != program(name).body
    assert same_values(other, program(name)) != changed


def test_what_repeats_itself_or_is_absent_is_left_to_the_prover():
    assert same_values(program("sgd/classical"), program("sgd/classical"))
    assert not same_values(program("sgd/classical"), program("sgd/ema"))


@pytest.mark.parametrize("equation", ["momentum", "gram", "polynomial", "update"])
def test_a_loop_is_a_function_of_what_it_reads(equation):
    """Executed twice: what reads only what the step or the round began with stays the same."""
    other = in_loops("muon/torch", equation, twice)
    assert other.body != program("muon/torch").body
    assert same_values(other, program("muon/torch")) == (equation != "update")


def test_another_number_of_rounds_or_another_start_is_another_loop():
    muon = program("muon/torch")
    for change in (
        lambda s: replace(s, stop=parse("ns_steps - 1")),
        lambda s: replace(s, start=parse("1")),
        lambda s: replace(s, until=parse("a < b")),
        lambda s: replace(s, body=s.body[:2]),
    ):
        body = tuple(change(s) if isinstance(s, ir.Repeat) else s for s in muon.body)
        assert body != muon.body
        assert not same_values(program(replace(muon.algorithm, body=body)), muon)
    # What goes into the loop counts as what it does.
    assert not same_values(in_loops("muon/torch", "normalise", twice), muon)
    # A loop that may have no round leaves what was there.
    assert not same_values(in_loops("muon/torch", "normalise", lambda s: ()), muon)


def in_loops(name, equation, change):
    """A dialect with one equation changed, in loops too."""

    def go(body):
        for s in body:
            if isinstance(s, ir.Repeat):
                yield replace(s, body=tuple(go(s.body)))
            elif isinstance(s, ir.Let) and s.equation == equation:
                yield from change(s)
            else:
                yield s

    resolved = program(get(name))
    return program(replace(resolved.algorithm, body=tuple(go(resolved.body))))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("0 * a + b", "b"),
        ("a - 0 * b", "a"),
        ("1 * a / 1", "a"),
        ("a + b", "a + b"),
        ("(a + 0) * (b * 1)", "a * b"),
    ],
)
def test_folding(before, after):
    assert folded(parse(before)) == parse(after)


@pytest.mark.parametrize(("name", "same"), [("adamuon/paper", True), ("adamuon/average", False)])
def test_how_steps_are_counted_matters_where_the_count_is_read(name, same):
    counted = program(name)
    counter = replace(counted.algorithm.counter, scope="optimizer")
    assert same_values(program(replace(counted.algorithm, counter=counter)), counted) == same


def with_body(*statements):
    return program(replace(get("sgd"), body=statements))


def let(target, text):
    return ir.Let(target, ir.Sym(target), parse(text))


def when(text, then, otherwise=()):
    return ir.If(parse(text), tuple(then), tuple(otherwise))


A, B = let(ir.THETA, "theta - lr"), let(ir.THETA, "theta + lr")


@pytest.mark.parametrize(
    ("branch", "taken"),
    [
        (when("1 > 0", [A], [B]), (A,)),
        (when("0 - 1 >= 0", [A], [B]), (B,)),
        (when("lr > 0", [when("lr > 0", [A], [B])]), (when("lr > 0", [A]),)),
        (when("lr > 0", [], [when("lr > 0", [A], [B])]), (when("lr > 0", [], [B]),)),
    ],
)
def test_a_branch_that_is_known_is_taken(branch, taken):
    assert same_values(with_body(branch), with_body(*taken))
    assert not same_values(with_body(branch), with_body(A, B))


def test_a_condition_is_open_again_once_what_it_reads_has_changed():
    inner = when("theta > 0", [A], [B])
    still, moved = (when("theta > 0", [*first, inner]) for first in ((), (A,)))
    assert same_values(with_body(still), with_body(when("theta > 0", [A])))
    assert not same_values(with_body(moved), with_body(when("theta > 0", [A, A])))
