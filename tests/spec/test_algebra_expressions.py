from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instep.spec import ir
from instep.spec.algebra import infix, parse
from instep.spec.errors import SpecError

NAMES = ("a", "b", "lr")
LEAVES = st.one_of(
    st.sampled_from(NAMES).map(ir.Sym),
    st.sampled_from(NAMES).map(ir.Prev),
    st.integers(0, 9).map(ir.Const),
    st.floats(0.0625, 64, allow_nan=False).map(ir.Const),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(ir.Binary, st.sampled_from(["+", "-", "*", "/", "**", "%"]), inner, inner),
        st.builds(ir.Negate, inner),
        st.builds(lambda x: ir.Call("sqrt", (x,)), inner),
        st.builds(lambda x, y: ir.Call("max", (x, y)), inner, inner),
        st.builds(ir.Grad, inner),
    ),
    max_leaves=10,
)


@settings(max_examples=300)
@given(TREES)
def test_what_is_printed_reads_as_the_same_tree(tree):
    assert parse(infix(tree)) == tree


def test_no_needless_parentheses():
    text = "lr*sqrt(1 - b**2)/(1 - a) + lr - (a - b)"
    assert infix(parse(text)) == text
    assert infix(parse("((lr)*(a))")) == "lr*a"


def test_order_is_kept():
    assert parse("a + b") != parse("b + a")
    assert parse("a - (b - lr)") != parse("a - b - lr")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 -", "is no expression"),
        ("a if b else lr", "write arithmetic over names"),
        ("__import__('os')", "write arithmetic over names"),
        ("cosh(a)", "unknown function cosh; known are abs"),
        ("True", "write arithmetic over names"),
    ],
)
def test_what_is_no_arithmetic_is_refused(text, said):
    with pytest.raises(SpecError, match=said):
        parse(text)


def test_a_node_that_infix_does_not_know_is_named():
    with pytest.raises(SpecError, match="unknown expression node object"):
        infix(object())  # type: ignore[arg-type]


def test_conditions():
    assert infix(parse("a*b <= lr + 1")) == "a*b <= lr + 1"
    nested = ir.Logic("not", (ir.Logic("or", (parse("a == 0"), parse("b > lr"))),))
    assert infix(nested) == "not (a == 0 or b > lr)"
