"""Decided options are gone, the constructor's stay, impossible values are impossible."""

from __future__ import annotations

from instep.reference.generate.lower.resolve_options import (
    kept_options,
    negation,
    possible,
    resolve_options,
    simplify,
)
from instep.spec import get, ir


def conditions(body):
    return [s.condition for s in ir.statements(body) if isinstance(s, ir.If)]


def options_in(body):
    return {n.name for c in conditions(body) for n in ir.walk(c) if isinstance(n, ir.Opt)}


def test_arguments_stay_open_and_pinned_options_do_not():
    assert kept_options(get("adam")) == {
        "maximize": (False, True),
        "amsgrad": ("no", "raw"),
        "decay": ("l2", "decoupled"),
    }
    assert set(kept_options(get("adamw"))) == {"maximize", "amsgrad"}


def test_an_option_that_requirements_decide_is_no_choice():
    assert set(kept_options(get("nesterov/paper"))) == {"maximize"}


def test_only_open_options_are_left_in_the_body():
    assert options_in(resolve_options(get("adam"))) == {"maximize", "amsgrad", "decay"}
    assert options_in(resolve_options(get("adamw/bert"))) == {"maximize", "amsgrad"}


def test_equations_of_decided_options_are_gone():
    forms = {let.form for let in ir.lets(resolve_options(get("adamw")))}
    assert "decoupled" in forms
    assert not forms & {"hat", "unscaled", "after", "corrected", "clamp"}


def test_two_sided_branches_ask_whether_a_flag_is_set():
    first = resolve_options(get("adam"))[0]
    assert isinstance(first, ir.If)
    assert first.condition == ir.Logic(
        "not", (ir.Compare("==", ir.Opt("maximize"), ir.Value(False)),)
    ) or first.condition == ir.Compare("==", ir.Opt("maximize"), ir.Value(True))
    assert isinstance(first.then[0].value, ir.Negate)


def test_nested_branches_without_else_become_one():
    body = resolve_options(get("adam"))
    l2 = next(s for s in body if isinstance(s, ir.If) and s.then[0].equation == "l2")
    assert isinstance(l2.condition, ir.Logic)
    assert l2.condition.op == "and"


MODE = {"mode": "a"}
IS_A, IS_B = (ir.Compare("==", ir.Opt("mode"), ir.Value(v)) for v in "ab")


def test_simplify_decides_what_is_decided():
    assert simplify(IS_A, MODE, {}) is True
    assert simplify(ir.Logic("not", (IS_A,)), MODE, {}) is False
    assert simplify(IS_B, MODE, {"mode": ("a",)}) is False
    assert simplify(IS_A, MODE, {"mode": ("a", "b")}) == IS_A


def test_simplify_drops_neutral_operands():
    number = ir.Compare(">", ir.Sym("mu"), ir.Const(0))
    assert simplify(ir.Logic("and", (IS_A, number)), MODE, {}) == number
    assert simplify(ir.Logic("or", (IS_A, number)), MODE, {}) is True
    assert simplify(ir.Logic("or", (IS_B, number)), MODE, {}) == number
    assert simplify(ir.Compare("!=", ir.Const(0), ir.Const(0)), MODE, {}) is False


def test_possible_truth_values():
    assert possible(IS_A, MODE, {"mode": ("a", "b")}) == {True, False}
    assert possible(IS_A, MODE, {}) == {True}
    assert possible(IS_B, MODE, {"mode": ("a",)}) == {False}


def test_negation_pushes_not_inwards():
    zero = ir.Compare("==", ir.Sym("mu"), ir.Const(0))
    both = ir.Logic("and", (IS_A, zero))
    assert negation(both) == ir.Logic(
        "or", (ir.Logic("not", (IS_A,)), ir.Compare("!=", ir.Sym("mu"), ir.Const(0)))
    )
    assert negation(negation(both)) == both
