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
