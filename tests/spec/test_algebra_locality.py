"""Programs that differ in one statement alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from instep.spec import get, ir
from instep.spec.algebra import equal
from instep.spec.algebra.locality import alone, difference
from instep.spec.algebra.program import programs

SPEC = get("schedulefree-sgd")
LR, T, STEP = ir.Sym("lr"), ir.Sym("warmup"), ir.Sym("t")


def changed(equation, change):
    """The same algorithm, but for the branch or the line that defines something."""

    def one(statement):
        inside = [let.equation for let in ir.lets((statement,))]
        return change(statement) if equation in inside else statement

    return replace(SPEC, body=tuple(map(one, SPEC.body)))


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (ir.Compare("<=", STEP, T), "equal"),  # at t = T the fraction is 1
        (ir.Compare("<", STEP, ir.Binary("-", T, ir.Const(1))), "different"),
    ],
)
def test_a_branch_of_hyperparameters_is_compared_by_itself(condition, status):
    other = changed("rate", lambda s: replace(s, condition=condition))
    ((a, b),) = alone(*programs(SPEC, other))
    assert len(a.body) == len(b.body) == 2
    assert equal(a, b).status == status


def test_the_whole_is_proved_by_the_part():
    other = changed("rate", lambda s: replace(s, condition=ir.Compare("<=", STEP, T)))
    proof = equal(SPEC, other).proof
    assert proof.steps[0].text.startswith("They differ in one statement")


def test_what_reads_more_than_numbers_is_not_taken_out():
    turned = changed("gradient", lambda s: replace(s, then=s.otherwise, otherwise=s.then))
    left, right = programs(SPEC, turned)
    assert difference(left.body, right.body) is not None
    assert alone(left, right) == []
    assert alone(*programs(SPEC, SPEC)) == []
    assert alone(*programs(SPEC, get("adamw"))) == []


def test_two_differences_are_more_than_one():
    a, b = ir.Let("a", ir.Sym("a"), LR), ir.Let("b", ir.Sym("b"), T)
    x, y = ir.Let("a", ir.Sym("a"), STEP), ir.Let("b", ir.Sym("b"), LR)
    branch = ir.Compare(">", STEP, T)
    assert difference((a, b), (x, b)) == (a, x)
    assert difference((a, b), (x, y)) is None
    assert difference((a,), (a, b)) is None
    assert difference((ir.If(branch, (a, b)),), (ir.If(branch, (a, y)),)) == (b, y)
    assert difference((ir.If(branch, (a,), (b,)),), (ir.If(branch, (x,), (y,)),)) is None
