from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instep.spec import ir
from instep.spec.errors import SpecError
from instep.spec.rewriting import rewrite, rewrite_body

a, b, g = ir.Sym("a"), ir.Sym("b"), ir.Sym("g")
one = ir.Const(1)


@given(st.data())
def test_rewrite_by_no_rule_is_the_same_tree(expressions, data):
    expr = data.draw(expressions)
    assert rewrite(expr, lambda _: None) == expr


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

    renamed = rewrite(expr, swap({"a": "new"}, True))
    count, recount = (Counter(type(n).__name__ for n in ir.walk(e)) for e in (expr, renamed))
    assert count == recount
    assert ir.Sym("a") not in list(ir.walk(renamed))
    assert rewrite(renamed, swap({"new": "a"}, True)) == expr


def test_rewrite_does_not_descend_into_what_a_rule_returns():
    seen = []

    def rule(node):
        seen.append(node)
        return ir.Negate(a) if node == ir.Negate(b) else None

    assert rewrite(ir.Transpose(ir.Negate(b)), rule) == ir.Transpose(ir.Negate(a))
    assert seen == [ir.Transpose(ir.Negate(b)), ir.Negate(b)]


def test_rewrite_body_renames_everywhere_and_keeps_lines(nested):
    def rule(node):
        return ir.Sym(f"{node.name}_new") if isinstance(node, ir.Sym) else None

    body = rewrite_body(nested, rule, lambda name: f"outer.{name}")
    assert [s.line for s in ir.statements(body)] == [3, 4, 5, 6, 7, 8]
    assert {n.name for n in ir.nodes(body) if isinstance(n, ir.Sym)} == {"a_new", "b_new", "g_new"}
    first, branch = body
    assert (first.equation, first.target) == ("outer.first", ir.Sym("g_new"))
    assert branch.then[0].form == "form"
    loop = branch.otherwise[0]
    assert (loop.down, loop.until) == (True, ir.Compare(">", ir.Sym("a_new"), one))
    assert loop.body[0].history == "h_new"
    assert rewrite_body(nested, lambda _: None) == nested


class Stranger:
    pass


@pytest.mark.parametrize(
    "copy",
    [
        lambda x: rewrite(ir.Negate(x), lambda _: None),
        lambda x: rewrite_body((x,), lambda _: None),
    ],
)
def test_a_node_that_cannot_be_copied_is_named(copy):
    with pytest.raises(SpecError, match="Stranger"):
        copy(Stranger())
