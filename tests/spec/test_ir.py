from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instep.spec import ir
from instep.spec.errors import SpecError

a, b, g = ir.Sym("a"), ir.Sym("b"), ir.Sym("g")
one = ir.Const(1)
positive = ir.Compare(">", a, one)


@given(st.data())
def test_walk_is_the_node_and_the_walks_of_its_children(expressions, data):
    expr = data.draw(expressions)
    nodes = list(ir.walk(expr))
    assert nodes[0] is expr
    assert nodes[1:] == [node for child in ir.children(expr) for node in ir.walk(child)]


def test_written_order_tells_trees_apart():
    assert ir.Binary("+", a, b) != ir.Binary("+", b, a)


def test_a_line_number_takes_no_part_in_comparisons_or_output():
    here, there = ir.Let("e", g, a, "f", 1), ir.Let("e", g, a, "f", 2)
    assert here == there
    assert hash(here) == hash(there)
    assert repr(here) == repr(there)


def test_statements_come_in_written_order(nested):
    kinds = [type(s).__name__ for s in ir.statements(nested)]
    assert kinds == ["Let", "If", "Let", "Apply", "Repeat", "Push"]
    assert [let.equation for let in ir.lets(nested)] == ["first", "second"]
    assert ir.assigned(nested) == {"g", "x", "h"}


def test_expressions_of_a_statement_are_its_own(nested):
    first, branch = nested
    assert ir.expressions(first) == (ir.Binary("+", a, one),)
    assert ir.expressions(branch) == (positive,)
    let, apply = branch.then
    assert ir.expressions(let) == (g, b)
    assert ir.expressions(apply) == (ir.Grad(g),)
    (loop,) = branch.otherwise
    assert ir.expressions(loop) == (one, b, positive)
    assert ir.expressions(loop.body[0]) == (a, one)
    assert ir.expressions(ir.Apply("slot")) == ()


@pytest.mark.parametrize(
    ("condition", "static"),
    [
        (ir.Compare("==", ir.Opt("o"), ir.Value("x")), True),
        (ir.Logic("not", (ir.Compare("==", ir.Opt("o"), ir.Value(True)),)), True),
        (positive, False),
        (ir.Logic("or", (positive, ir.Compare("==", ir.Opt("o"), ir.Value(True)))), False),
        (ir.Absent("a"), False),
    ],
)
def test_static_means_decided_by_options_alone(condition, static):
    assert ir.is_static(condition) is static


class Stranger:
    pass


@pytest.mark.parametrize(
    "read",
    [
        ir.children,
        lambda x: list(ir.walk(x)),
        ir.expressions,
    ],
)
def test_a_node_that_nobody_knows_is_named(read):
    with pytest.raises(SpecError, match="Stranger"):
        read(Stranger())
