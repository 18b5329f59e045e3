"""Expression trees to draw from, and a way to write specification files."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from instep.spec import ir, registry

NAMES = ("a", "b", "c")
UNARY = ("sqrt", "abs", "sign", "exp", "log", "floor")


@pytest.fixture(scope="session")
def numbers():
    """Strategy: arithmetic over symbols and small whole numbers, as printers and freeze meet it."""
    leaves = st.one_of(
        st.sampled_from(NAMES).map(ir.Sym),
        st.sampled_from(NAMES).map(ir.Prev),
        st.integers(0, 12).map(ir.Const),
    )

    def grow(inner):
        return st.one_of(
            st.builds(ir.Binary, st.sampled_from(["+", "-", "*", "/", "**", "%"]), inner, inner),
            st.builds(ir.Negate, inner),
            st.builds(lambda f, x: ir.Call(f, (x,)), st.sampled_from(UNARY), inner),
            st.builds(
                lambda f, x, y: ir.Call(f, (x, y)), st.sampled_from(["max", "min"]), inner, inner
            ),
        )

    return st.recursive(leaves, grow, max_leaves=12)


@pytest.fixture(scope="session")
def expressions(numbers):
    """Strategy: trees with every node of the language in them."""
    names = st.sampled_from(NAMES)
    conditions = st.one_of(
        st.builds(ir.Compare, st.sampled_from(["==", "<", "<=", ">", ">="]), numbers, numbers),
        st.builds(lambda o, v: ir.Compare("==", ir.Opt(o), ir.Value(v)), names, st.booleans()),
        names.map(ir.Absent),
    )
    conditions = st.recursive(
        conditions,
        lambda inner: st.one_of(
            st.builds(lambda x: ir.Logic("not", (x,)), inner),
            st.builds(
                lambda op, x, y: ir.Logic(op, (x, y)), st.sampled_from(["and", "or"]), inner, inner
            ),
        ),
        max_leaves=4,
    )
    axes = st.sampled_from(["all", "rows", "cols", "params"])
    return st.recursive(
        st.one_of(numbers, names.map(ir.Len)),
        lambda inner: st.one_of(
            st.builds(ir.Binary, st.sampled_from(["+", "*"]), inner, inner),
            st.builds(ir.Where, conditions, inner, inner),
            st.builds(ir.Reduce, st.sampled_from(["sum", "mean", "max"]), axes, inner),
            st.builds(ir.MatMul, inner, inner),
            st.builds(ir.Transpose, inner),
            st.builds(ir.Grad, inner),
            st.builds(ir.Loss, inner),
            st.builds(ir.At, names, inner),
        ),
        max_leaves=6,
    )


@pytest.fixture
def nested():
    """A body with every statement, some inside others."""
    a, b, g, one = ir.Sym("a"), ir.Sym("b"), ir.Sym("g"), ir.Const(1)
    positive = ir.Compare(">", a, one)
    return (
        ir.Let("first", g, ir.Binary("+", a, one), line=3),
        ir.If(
            positive,
            (ir.Let("second", ir.At("x", b), g, "form", 5), ir.Apply("slot", ir.Grad(g), 6)),
            (ir.Repeat("i", one, b, (ir.Push("keep", "h", a, one, 8),), positive, True, 7),),
            4,
        ),
    )


HEAD = """\
from __future__ import annotations
import sympy
from instep.spec.author import *

with algorithm("mine", "One of mine") as spec:
"""


@pytest.fixture
def write(tmp_path):
    """Write lines of a specification; they start in line 6 of `mine.py`."""

    def write(body, *, head=HEAD):
        path = tmp_path / "mine.py"
        indented = "".join(
            f"    {line}\n" if line else "\n" for line in body.strip("\n").split("\n")
        )
        path.write_text(head + indented)
        return path

    return write


@pytest.fixture
def load(write):
    """The algorithm of such lines."""
    return lambda body: registry.load(write(body))
