from __future__ import annotations

from dataclasses import replace

import pytest

from instep.spec import get, ir
from instep.spec.options import resolve
from instep.spec.scope import Scope, infer, inferred

one, theta, t = ir.Const(1), ir.Sym("theta"), ir.Sym("t")


@pytest.mark.parametrize(
    ("expr", "scope"),
    [
        (one, Scope.STATIC),
        (ir.Opt("amsgrad"), Scope.STATIC),
        (ir.Sym("lr"), Scope.GROUP),
        (t, Scope.PARAMETER),
        (ir.Binary("-", one, ir.Binary("**", ir.Sym("beta1"), t)), Scope.PARAMETER),
        (ir.Sym("step_size"), Scope.PARAMETER),
        (ir.Prev("m"), Scope.TENSOR),
        (ir.Sym("d"), Scope.TENSOR),
        (ir.Grad(theta), Scope.TENSOR),
        (ir.Loss(theta), Scope.OPTIMIZER),
        (ir.Reduce("sum", "all", theta), Scope.REDUCED),
        (ir.Reduce("mean", "rows", theta), Scope.TENSOR),
        (ir.Reduce("sum", "params", theta), Scope.OPTIMIZER),
        (ir.Call("ndim", (theta,)), Scope.PARAMETER),
        (ir.Where(ir.Compare(">", ir.Sym("lr"), one), t, one), Scope.PARAMETER),
    ],
)
def test_scope_of_expressions_over_adam(expr, scope):
    assert infer(get("adam")).of(expr) == scope


def test_absence_is_a_fact_of_the_parameter():
    assert infer(get("sgd")).of(ir.Absent("b")) == Scope.PARAMETER
    assert Scope.PARAMETER.on_host
    assert not Scope.REDUCED.on_host


def test_a_branch_passes_its_scope_on_to_what_it_assigns(load):
    algorithm = load("""
lr = hyper("lr", 1.0)
c = local("c")
let("first", c, 1)
with when(lr > 1):
    let("second", c, 2)
let("update", theta, theta - lr * c * grad(theta))
""")
    assert infer(algorithm).symbols["c"] == Scope.GROUP
    assert infer(algorithm, algorithm.body[:1]).symbols["c"] == Scope.STATIC


def test_an_option_passes_nothing_on(load):
    algorithm = load("""
lr = hyper("lr", 1.0)
flag = option("flag")
c = local("c")
let("factor", c, choose(flag, yes=2, no=grad(theta)))
let("update", theta, theta - lr * c * grad(theta))
""")
    assert infer(algorithm).symbols["c"] == Scope.TENSOR
    assert infer(algorithm, resolve(algorithm.body, {"flag": True})).symbols["c"] == Scope.STATIC


def test_a_fixed_point_carries_scopes_round_a_loop(load):
    algorithm = load("""
lr = hyper("lr", 1.0)
x, y = local("x"), local("y")
let("x", x, 1)
let("y", y, 1)
with repeat(3):
    let("x", x, x * y, form="next")
    let("y", y, total(theta), form="next")
let("update", theta, theta - lr * x * grad(theta))
""")
    assert infer(algorithm).symbols["x"] == Scope.REDUCED


def test_states_of_shared_scope():
    adam = get("adam")
    scopes = infer(adam)
    assert scopes.symbols["m"] == Scope.TENSOR
    assert scopes.symbols["theta"] == Scope.TENSOR


def test_scopes_are_kept_for_what_shares_the_equations_and_declarations():
    adam = get("adam")
    assert inferred(adam) == infer(adam)
    assert inferred(adam.with_options({"maximize": True})) is inferred(adam)
    shared = tuple(replace(s, scope="optimizer") for s in adam.states)
    declared_otherwise = replace(adam, states=shared)
    assert inferred(declared_otherwise) == infer(declared_otherwise)
    assert inferred(replace(adam, body=adam.body[:2])) == infer(adam, adam.body[:2])
