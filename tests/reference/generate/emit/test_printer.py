"""Printed expressions evaluate in the order of the tree, and no node goes by unknown."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from instep.reference.generate import GenerateError
from instep.reference.generate.emit.printer import Names, Printer
from instep.reference.generate.lower.notation import parse
from instep.reference.runtime import scalar_math
from instep.spec import ir
from instep.spec.arithmetic import OPERATORS
from instep.spec.scope import Scope


def printer(lanes=()):
    names = Names(
        symbol=lambda name: name,
        previous=lambda name: f"{name}_prev",
        absent=lambda name: f"{name}_prev is None",
        option=lambda name, value: (name, value),
        gradient=lambda _: "grad",
        total=lambda _: "_total",
    )

    def scope(x):
        if isinstance(x, ir.Grad) or (isinstance(x, ir.Sym) and x.name in lanes):
            return Scope.TENSOR
        return max(map(scope, ir.children(x)), default=Scope.STATIC)

    return Printer("here", names, scope)


@pytest.mark.parametrize(
    "text",
    [
        "a + b - c",
        "a - (b + c)",
        "a - (b - c)",
        "a * b / c",
        "a / (b * c)",
        "a * (b / c)",
        "(a + b) * c",
        "-(a * b)",
        "-a * b",
        "a * -b",
        "(-a)**2",
        "-a**2",
        "a**b**c",
        "(a**b)**c",
        "a**-b",
        "(a + b)**2",
        "(a * b)**c",
        "1 - b**t",
    ],
)
def test_parentheses_are_as_few_as_order_allows(text):
    assert printer()(parse(text)) == text


trees = st.recursive(
    st.sampled_from("abc").map(ir.Sym) | st.integers(1, 9).map(ir.Const),
    lambda inner: st.one_of(
        st.builds(ir.Binary, st.sampled_from(["+", "-", "*", "/", "%"]), inner, inner),
        st.builds(ir.Binary, st.just("**"), inner, st.integers(0, 3).map(ir.Const)),
        st.builds(ir.Negate, inner),
        st.builds(
            lambda f, x, y: ir.Call(f, (x, y)), st.sampled_from(["max", "min"]), inner, inner
        ),
    ),
    max_leaves=10,
)


def walked(x, values):
    """The tree, evaluated without printing it."""
    match x:
        case ir.Sym(name):
            return values[name]
        case ir.Const(value):
            return value
        case ir.Negate(a):
            return -walked(a, values)
        case ir.Call(function, (a, b)):
            largest = scalar_math.maximum if function == "max" else scalar_math.minimum
            return largest(walked(a, values), walked(b, values))
        case ir.Binary(op, a, b):
            return OPERATORS[op](walked(a, values), walked(b, values))
    raise AssertionError(x)


@given(trees)
def test_text_means_what_the_tree_means(tree):
    values = {"a": 0.1, "b": -0.7, "c": 3.3}
    try:
        expected = walked(tree, values)
    except (ZeroDivisionError, OverflowError) as error:
        with pytest.raises(type(error)):
            eval(printer()(tree), {"math": scalar_math, **values})
        return
    got = eval(printer()(tree), {"math": scalar_math, **values})
    assert got == expected or (math.isnan(got) and math.isnan(expected))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.5"), (3, "3"), (-2, "-2"), (Fraction(1, 4), "0.25"), (Fraction(1, 3), "1 / 3")],
)
def test_numbers(value, text):
    assert printer()(ir.Const(value)) == text


def test_a_fraction_is_divided_before_it_is_used():
    third = ir.Binary("*", ir.Sym("a"), ir.Const(Fraction(1, 3)))
    assert printer()(third) == "a * (1 / 3)"


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (parse("sqrt(x)"), "torch.sqrt(x)"),
        (parse("sqrt(a)"), "math.sqrt(a)"),
        (parse("abs(a)"), "math.absolute(a)"),
        (parse("max(x, y)"), "torch.maximum(x, y)"),
        (parse("max(x, a)"), "x.clamp(min=a)"),
        (parse("min(a, x + y)"), "(x + y).clamp(max=a)"),
        (parse("max(a, b)"), "math.maximum(a, b)"),
        (parse("rows(x)"), "x.shape[-2]"),
        (parse("ndim(x)"), "x.dim()"),
        (ir.Call("unit_size", (ir.Sym("x"),)), "unit_size(x)"),
        (ir.Reduce("max", "all", ir.Sym("x")), "x.amax()"),
        (ir.Reduce("sum", "all", parse("x * y")), "(x * y).sum()"),
        (ir.Reduce("mean", "rows", ir.Sym("x")), "x.mean(dim=-1, keepdim=True)"),
        (ir.Reduce("max", "cols", ir.Sym("x")), "x.amax(dim=-2, keepdim=True)"),
        (ir.MatMul(ir.Sym("x"), ir.Transpose(ir.Sym("y"))), "x @ y.mT"),
        (ir.Prev("m"), "m_prev"),
        (ir.Logic("not", (ir.Absent("b"),)), "b_prev is not None"),
        (ir.At("alpha", parse("i + 1")), "alpha[i + 1]"),
        (ir.Len("R"), "len(R)"),
        (ir.Compare("==", ir.Opt("flag"), ir.Value(True)), "flag"),
        (ir.Compare("==", ir.Opt("flag"), ir.Value(False)), "not flag"),
        (ir.Compare("==", ir.Opt("mode"), ir.Value("min")), 'mode == "min"'),
        (ir.Logic("not", (ir.Compare("==", ir.Opt("mode"), ir.Value("min")),)), 'mode != "min"'),
    ],
)
def test_nodes(node, text):
    assert printer(lanes="xy")(node) == text


def test_conditions_on_lanes_use_the_operators_of_tensors():
    both = ir.Logic("and", tuple(ir.Compare(">", ir.Sym(n), ir.Const(0)) for n in "xa"))
    assert printer(lanes="x")(both) == "(x > 0) & (a > 0)"
    assert printer()(both) == "x > 0 and a > 0"
    assert printer(lanes="x")(ir.Logic("not", (both,))) == "~((x > 0) & (a > 0))"


def test_a_choice_between_two_numbers_has_the_type_of_the_parameter():
    condition = ir.Compare(">", ir.Sym("x"), ir.Const(0))
    text = printer(lanes="x")(ir.Where(condition, ir.Const(0.3), ir.Const(1)))
    theta = torch.zeros(2, dtype=torch.float64)
    made = eval(text, {"torch": torch, "theta": theta, "x": torch.tensor([1.0, -1.0])})
    assert made.dtype == torch.float64
    assert made.tolist() == [0.3, 1.0]
    one = printer(lanes="xy")(ir.Where(condition, ir.Sym("y"), ir.Const(1)))
    assert one == "torch.where(x > 0, y, 1)"


class Strange:
    """A node of no kind."""


@pytest.mark.parametrize(
    "node",
    [ir.Call("gamma", (ir.Sym("x"),)), ir.Binary("//", ir.Sym("x"), ir.Sym("y")), ir.Value("a")],
)
def test_an_unknown_node_is_an_error_that_names_it(node):
    with pytest.raises(GenerateError, match=f"here: unknown node {type(node).__name__}"):
        printer()(node)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("lerp(A, B, s)", "A + s * (B - A)"),
        ("addcmul(A, B, C, s)", "A + s * B * C"),
        ("addcdiv(A, B, C, s)", "A + s * B / C"),
        ("add_scaled(A, B, s)", "A + s * B"),
    ],
)
def test_fused_operations_run_on_one_tensor_too(text, plain):
    lanes = {name: torch.tensor([2.0, -3.0]) + k for k, name in enumerate("ABC")}
    values = {**lanes, "s": 0.25, "torch": torch}
    printed = printer(lanes)(parse(text))
    assert torch.equal(eval(printed, values), eval(plain, values))
