from __future__ import annotations

import pytest
import sympy
from hypothesis import given

from instep.spec import ir
from instep.spec.algebra import Translator, parse, program, step_map, to_sympy
from instep.spec.errors import SpecError


def test_symbols_carry_their_domains():
    found = {s.name: s for s in to_sympy(parse("lr*beta1*eps*t*g"), "adam/paper").free_symbols}
    assert found["lr"].is_nonnegative
    assert found["beta1"].is_nonnegative
    assert found["t"].is_integer
    assert found["t"].is_positive
    assert found["g"].is_real
    assert found["g"].is_nonnegative is None


def test_a_second_moment_is_nonnegative_and_a_first_one_is_not():
    v, m = (to_sympy(ir.Prev(n), "adam/paper") for n in ("v", "m"))
    assert v.is_nonnegative
    assert m.is_nonnegative is None
    assert to_sympy(ir.Prev("v")).is_nonnegative is None


def test_a_stored_value_is_another_symbol_than_the_current_one():
    assert to_sympy(ir.Prev("theta")) != to_sympy(ir.Sym("theta"))
    moved, stored = (to_sympy(ir.Grad(x)) for x in (ir.Sym("theta"), ir.Prev("theta")))
    assert moved != stored
    assert stored == sympy.Symbol("g", real=True)


def test_sympy_proves_eps_hat_with_opaque_symbols_and_not_without():
    """Why the opaque symbols exist: sympy does not see that 1 - beta2**t is positive."""

    def difference(*, opaque: bool) -> sympy.Expr:
        translate = Translator(program("adam/paper"), opaque=opaque)
        sides = (
            step_map("adam/paper", bindings={"weight_decay": 0}),
            step_map("adam/eps-hat", bindings={"weight_decay": 0, "eps": "eps*sqrt(1 - beta2**t)"}),
        )
        a, b = (translate.expression(s.paths[0].values["theta"]) for s in sides)
        return sympy.simplify(a - b)

    assert difference(opaque=True) == 0
    assert difference(opaque=False) != 0


def test_opaque_symbols_are_defined():
    translate = Translator(program("adam/paper"), opaque=True)
    symbol = translate.expression(parse("1 - beta2**t"))
    assert symbol.is_positive
    assert translate.definitions[symbol] == 1 - translate.symbol("beta2") ** translate.symbol("t")
    assert translate.expression(parse("1 - lr")).is_Add, "not positive for every lr"
    assert translate.expression(parse("1 - m")).is_Add


def test_opaque_or_not_the_value_is_the_same():
    translate = Translator(program("adam/paper"), opaque=True)
    expr = parse("lr*sqrt(1 - beta2**t)/(1 - beta1)")
    plain = to_sympy(expr, "adam/paper")
    assert sympy.simplify(translate.expression(expr).subs(translate.definitions) - plain) == 0


CONDITIONS = ir.Where(parse("lr > 0"), ir.Sym("a"), ir.Sym("b"))


def test_choices_become_piecewise():
    assert to_sympy(CONDITIONS).func == sympy.Piecewise


def test_every_node_is_known(expressions):
    options = (ir.Opt, ir.Value)

    @given(expressions)
    def check(tree):
        if not any(isinstance(n, options) for n in ir.walk(tree)):
            assert isinstance(to_sympy(tree), sympy.Basic)

    check()


def test_an_unknown_node_is_named():
    with pytest.raises(SpecError, match="unknown expression node Opt"):
        to_sympy(ir.Opt("nesterov"))
