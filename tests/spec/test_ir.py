from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instep.spec import ir
from instep.spec.errors import SpecError

a, b, g = ir.Sym("a"), ir.Sym("b"), ir.Sym("g")
one = ir.Const(1)
positive = ir.Compare(">", a, one)

NESTED = (
    ir.Let("first", g, ir.Binary("+", a, one), line=3),
    ir.If(
        positive,
        (ir.Let("second", ir.At("x", b), g, "form", 5), ir.Apply("slot", ir.Grad(g), 6)),
        (ir.Repeat("i", one, b, (ir.Push("keep", "h", a, one, 8),), positive, True, 7),),
        4,
    ),
)


@given(st.data())
def test_rewrite_by_no_rule_is_the_same_tree(expressions, data):
    expr = data.draw(expressions)
    assert ir.rewrite(expr, lambda _: None) == expr


@given(st.data())
def test_walk_is_the_node_and_the_walks_of_its_children(expressions, data):
    expr = data.draw(expressions)
    nodes = list(ir.walk(expr))
    assert nodes[0] is expr
    assert nodes[1:] == [node for child in ir.children(expr) for node in ir.walk(child)]


@given(st.data())
def test_rewrite_reaches_every_leaf_and_nothing_else(expressions, data):
    expr = data.draw(expressions)

    def swap(there, back):
        def rule(node):
            return (
                ir.Sym(there[node.name])
                if isinstance(node, ir.Sym) and node.name in there
                else None
            )

        assert back
        return rule

    renamed = ir.rewrite(expr, swap({"a": "new"}, True))
    count, recount = (Counter(type(n).__name__ for n in ir.walk(e)) for e in (expr, renamed))
    assert count == recount
    assert ir.Sym("a") not in list(ir.walk(renamed))
    assert ir.rewrite(renamed, swap({"new": "a"}, True)) == expr


def test_rewrite_does_not_descend_into_what_a_rule_returns():
    seen = []

    def rule(node):
        seen.append(node)
        return ir.Negate(a) if node == ir.Negate(b) else None

    assert ir.rewrite(ir.Transpose(ir.Negate(b)), rule) == ir.Transpose(ir.Negate(a))
    assert seen == [ir.Transpose(ir.Negate(b)), ir.Negate(b)]


def test_written_order_tells_trees_apart():
    assert ir.Binary("+", a, b) != ir.Binary("+", b, a)


def test_a_line_number_takes_no_part_in_comparisons_or_output():
    here, there = ir.Let("e", g, a, "f", 1), ir.Let("e", g, a, "f", 2)
    assert here == there
    assert hash(here) == hash(there)
    assert repr(here) == repr(there)


def test_statements_come_in_written_order():
    kinds = [type(s).__name__ for s in ir.statements(NESTED)]
    assert kinds == ["Let", "If", "Let", "Apply", "Repeat", "Push"]
    assert [let.equation for let in ir.lets(NESTED)] == ["first", "second"]
    assert ir.assigned(NESTED) == {"g", "x", "h"}


def test_expressions_of_a_statement_are_its_own():
    first, branch = NESTED
    assert ir.expressions(first) == (ir.Binary("+", a, one),)
    assert ir.expressions(branch) == (positive,)
    let, apply = branch.then
    assert ir.expressions(let) == (g, b)
    assert ir.expressions(apply) == (ir.Grad(g),)
    (loop,) = branch.otherwise
    assert ir.expressions(loop) == (one, b, positive)
    assert ir.expressions(loop.body[0]) == (a, one)
    assert ir.expressions(ir.Apply("slot")) == ()


def test_rewrite_body_renames_everywhere_and_keeps_lines():
    def rule(node):
        return ir.Sym(f"{node.name}_new") if isinstance(node, ir.Sym) else None

    body = ir.rewrite_body(NESTED, rule, lambda name: f"outer.{name}")
    assert [s.line for s in ir.statements(body)] == [3, 4, 5, 6, 7, 8]
    assert {n.name for n in ir.nodes(body) if isinstance(n, ir.Sym)} == {"a_new", "b_new", "g_new"}
    first, branch = body
    assert (first.equation, first.target) == ("outer.first", ir.Sym("g_new"))
    assert branch.then[0].form == "form"
    loop = branch.otherwise[0]
    assert (loop.down, loop.until) == (True, ir.Compare(">", ir.Sym("a_new"), one))
    assert loop.body[0].history == "h_new"
    assert ir.rewrite_body(NESTED, lambda _: None) == NESTED


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
        lambda x: ir.rewrite(ir.Negate(x), lambda _: None),
        ir.expressions,
        lambda x: ir.rewrite_body((x,), lambda _: None),
    ],
)
def test_a_node_that_nobody_knows_is_named(read):
    with pytest.raises(SpecError, match="Stranger"):
        read(Stranger())
