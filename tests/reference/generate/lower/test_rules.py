"""Every rewrite is an identity: proved by sympy from the text of the rule."""

from __future__ import annotations

import pytest
import sympy
import torch

from instep.reference.generate import GenerateError
from instep.reference.generate.lower.notation import parse
from instep.reference.generate.lower.rules import FUSED, RULES
from instep.spec import ir
from instep.spec.rewriting import rewrite


def rebuilt(x: ir.Expr):
    """The tree as sympy over positive symbols, fused operations by their definition."""
    match x:
        case ir.Sym(name):
            return sympy.Symbol(name, positive=True)
        case ir.Const(value):
            return sympy.Integer(value)
        case ir.Negate(a):
            return -rebuilt(a)
        case ir.Call("sqrt", (a,)):
            return sympy.sqrt(rebuilt(a))
        case ir.Call(function, arguments):
            return rebuilt(rewrite(parse(FUSED[function]), named(arguments)))
        case ir.Binary(op, a, b):
            left, right = rebuilt(a), rebuilt(b)
            return {
                "+": left + right, "-": left - right, "*": left * right, "/": left / right,
                "**": left**right,
            }[op]  # fmt: skip
    raise AssertionError(x)


def named(arguments):
    """A rule that puts arguments in the place of the letters A, B, ... and s."""
    letters = dict(zip("ABCD", arguments[:-1], strict=False)) | {"s": arguments[-1]}
    return lambda x: letters[x.name] if isinstance(x, ir.Sym) else None


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_both_sides_are_equal(rule):
    difference = rebuilt(rule.pattern) - rebuilt(rule.replacement)
    assert sympy.simplify(difference) == 0


def test_the_proof_can_fail():
    wrong = rebuilt(parse("A + s * B")) - rebuilt(parse("lerp(A, B, s)"))
    assert sympy.simplify(wrong) != 0


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_keeps_its_letters(rule):
    letters = [
        {n.name for n in ir.walk(x) if isinstance(n, ir.Sym)}
        for x in (rule.pattern, rule.replacement)
    ]
    assert letters[1] == letters[0]


def test_names_are_unique():
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("function", FUSED)
def test_fused_operations_compute_what_their_definition_says(function):
    a, b, c = (torch.tensor([float(x)], dtype=torch.float64) for x in (3, 5, 7))
    operands = {"lerp": [a, b], "add_scaled": [a, b]}.get(function, [a, b, c])
    keyword = {"addcmul": "value", "addcdiv": "value", "add_scaled": "alpha"}.get(
        function, "weight"
    )
    call = getattr(torch, function.replace("add_scaled", "add"))
    expected = eval(FUSED[function], {"A": 3.0, "B": 5.0, "C": 7.0, "s": 0.25})
    assert call(*operands, **{keyword: 0.25}).item() == pytest.approx(expected, rel=1e-15)


def test_notation():
    assert parse("s * A - 2**B") == ir.Binary(
        "-",
        ir.Binary("*", ir.Sym("s"), ir.Sym("A")),
        ir.Binary("**", ir.Const(2), ir.Sym("B")),
    )
    with pytest.raises(GenerateError, match="no notation for A @ B"):
        parse("A @ B")
