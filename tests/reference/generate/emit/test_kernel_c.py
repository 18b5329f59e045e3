from __future__ import annotations

import pytest

from instep.reference.generate.emit.c_printer import CPrinter
from instep.reference.generate.errors import GenerateError
from instep.reference.generate.source import generate_kernel
from instep.spec import get, ir

A, B, C = map(ir.Sym, "abc")


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (ir.Binary("-", A, ir.Binary("-", B, C)), "a - (b - c)"),
        (ir.Binary("*", ir.Binary("+", A, B), C), "(a + b) * c"),
        (ir.Binary("/", A, ir.Binary("*", B, C)), "a / (b * c)"),
        (ir.Negate(ir.Negate(A)), "-(-a)"),
        (ir.Binary("-", A, ir.Negate(B)), "a - -b"),
        (ir.Binary("**", A, ir.Const(3)), "pow(a, 3)"),
        (ir.Call("max", (A, ir.Const(0))), "maximum(a, 0)"),
        (ir.Call("abs", (A,)), "fabs(a)"),
        (ir.Call("sqrt", (ir.Binary("+", A, B),)), "sqrt(a + b)"),
        (ir.Const(2.0), "2"),
        (ir.Const(0.5), "(real)0.5"),
        (ir.Binary("*", ir.Const(-1), A), "-1 * a"),
        (ir.Where(ir.Compare("<", A, B), A, ir.Where(ir.Compare(">", A, C), B, C)),
         "a < b ? a : (a > c ? b : c)"),
        (ir.Binary("*", ir.Where(ir.Compare("==", A, B), A, B), C), "(a == b ? a : b) * c"),
        (ir.Logic("and", (ir.Compare("<", A, B), ir.Logic("not", (ir.Compare("==", A, C),)))),
         "a < b && !(a == c)"),
        (ir.Logic("and", (ir.Logic("or", (ir.Compare("<", A, B), ir.Compare("<", B, C))),
                          ir.Compare("!=", A, C))), "(a < b || b < c) && a != c"),
        (ir.Grad(ir.Sym("theta")), "grad"),
    ],
)  # fmt: skip
def test_c_evaluates_in_the_order_of_the_tree(expr, text):
    assert CPrinter(lambda _: None)(expr) == text


def test_a_switch_is_its_name():
    condition = ir.Compare("!=", A, ir.Const(0))
    print_ = CPrinter(lambda x: "DECAY" if x == condition else None)
    assert print_(ir.Logic("not", (condition,))) == "!DECAY"


@pytest.mark.parametrize(
    "expr", [ir.Reduce("sum", "all", A), ir.MatMul(A, B), ir.Call("pi", ()), ir.Binary("%", A, B)]
)
def test_what_has_no_text_is_named(expr):
    with pytest.raises(GenerateError, match=type(expr).__name__):
        CPrinter(lambda _: None)(expr)


def test_a_kernel_reads_as_its_equations():
    text = generate_kernel(get("adamw"))
    assert text is not None
    assert "theta = theta * _decay;  // adamw.decay@decoupled" in text
    assert "// adamw.second_correction@both, adamw.denominator" in text
    assert "const real _decay = (real)number[0];  // 1 - lr * weight_decay" in text
    assert "const stored *restrict grad_ = at[1];  // its gradient" in text
    assert text.count("v_max_[i]") == 2  # read and written with amsgrad alone
    assert all(len(line) <= 100 for line in text.splitlines())
