"""Mutants: every kind of mistake, each once, all of them runnable and named after an equation."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np
import pytest

from instep import spec
from instep.conformance.mutate import Mutant, mutants
from instep.conformance.mutate.expressions import Names, changed, choices, powers
from instep.spec import ir
from instep.spec.arithmetic import Float64
from instep.spec.interpret import Interpreter
from instep.spec.options import resolve

DIALECTS = ("adam/paper", "adam/eps-hat", "amsgrad/torch", "sgd/torch", "nesterov/paper")
# Kinds that the catalogue of mistakes asks for, of equations that both specifications have.
KINDS = {
    "adam/paper": {
        "second term missing",
        "first term missing",
        "sign flipped",
        "factor missing",
        "factor twice",
        "divisor missing",
        "multiplied instead of divided",
        "beta1 and beta2 exchanged",
        "beta2 instead of beta1",
        "1 - beta1 missing",
        "step counter one ahead",
        "step counter one behind",
        "step counter frozen",
        "one step counter for all parameters",
        "eps inside the root",
        "eps squared",
        "eps as a lower limit",
        "eps times ten",
        "square missing",
        "root missing",
        "old m instead of new",
        "m is never stored",
        "m starts at 1",
        "m starts as its first input",
        "lr kept from construction, groups and changes ignored",
        "beta1 rounded to half precision",
        "left out",
        "executed twice",
        "executed last",
        "condition ignored",
        "1 - beta1 in place of beta1",
        "betas ignored, (0.9, 0.999) used instead",
        "step counter advanced twice",
        "m overwritten by m_hat",
        "no bias correction at all",
        "bias correction subtracted from one",
        "decoupled from the gradient, by lr times weight_decay",
        "bracket around both terms",
        "multiplied instead of divided, in first_correction and second_correction",
        "step counter one behind, in first_correction and second_correction",
    },
    "adamw/torch": {"added to the gradient, weight_decay times the parameter"},
    "amsgrad/torch": {"max and min exchanged", "max missing", "v_max is never stored"},
    "sgd/torch": {"b starts at 0", "dampening ignored, 0 used instead"},
}


@cache
def own(dialect: str) -> list[Mutant]:
    return list(mutants(spec.get(dialect)))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_mutant_is_there_once(dialect: str):
    algorithm = spec.get(dialect)
    options = algorithm.option_defaults()
    keys = Counter(
        (
            resolve(m.model.algorithm.body, options),
            m.model.algorithm.states,
            m.model.algorithm.counter,
            m.model.frozen,
            tuple(m.model.distort or ()),
        )
        for m in own(dialect)
    )
    assert max(keys.values()) == 1
    plain = resolve(algorithm.body, options), algorithm.states, algorithm.counter
    assert not any(k[:3] == plain and not k[3] and not k[4] for k in keys)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_mutant_is_named_after_an_equation_of_the_algorithm(dialect: str):
    algorithm = spec.get(dialect)
    body = resolve(algorithm.body, algorithm.option_defaults())
    known = {let.equation for let in ir.lets(body)} | {"counter", "groups", "body"}
    for m in own(dialect):
        place, _, _ = m.name.partition(": ")
        assert m.equation in (place, "")
        assert m.kind
        assert m.description
        if m.model.frozen or m.model.distort:
            assert place in known, m.name


@pytest.mark.parametrize("dialect", KINDS)
def test_the_same_mutants_come_in_the_same_order(dialect: str):
    assert [m.name for m in own(dialect)] == [m.name for m in mutants(spec.get(dialect))]


@pytest.mark.parametrize("dialect", KINDS)
def test_every_kind_of_mistake_is_made(dialect: str):
    assert KINDS[dialect] <= {m.kind for m in own(dialect)}


@pytest.mark.parametrize("dialect", ["adam/paper", "sgd/torch", "nesterov/paper"])
def test_every_mutant_runs_at_the_probe_s_values(dialect: str):
    for m in own(dialect):
        algorithm = m.model.algorithm
        values = {h.name: h.probe for h in algorithm.hyperparameters}
        runner = Interpreter(algorithm, Float64(), [np.ones(2)], hyperparameters=values)
        for _ in range(3):
            runner.step([np.ones(2)], oracle=lambda points: (None, [np.ones(2)]))


def test_likely_mistakes_come_before_unlikely_ones():
    names = [m.name for m in own("adam/paper")]
    likely = ["first_moment: beta1 and beta2 exchanged", "denominator: eps inside the root"]
    unlikely = ["update: divided twice", "first_moment: m starts at 1"]
    assert max(map(names.index, likely)) < min(map(names.index, unlikely))


def test_a_node_is_changed_wherever_it_stands():
    names = Names(spec.get("adam"))
    root = ir.Call("sqrt", (ir.Sym("v"),))
    expr = ir.Binary("+", root, ir.Binary("*", root, ir.Sym("eps")))
    found = list(changed(expr, powers, names))
    assert [kind for kind, _ in found] == ["root missing", "root taken twice"] * 2
    assert len({new for _, new in found}) == 4
    assert all(new != expr for _, new in found)


@pytest.mark.parametrize(
    ("node", "kinds"),
    [
        (
            ir.Call("max", (ir.Sym("m"), ir.Sym("v"))),
            {"max and min exchanged", "max missing"},
        ),
        (
            ir.Compare(">", ir.Sym("m"), ir.Sym("v")),
            {"strictness of the comparison", "threshold one higher", "threshold one lower"},
        ),
        (
            ir.Where(ir.Compare(">", ir.Sym("m"), ir.Sym("v")), ir.Sym("m"), ir.Sym("v")),
            {"branches exchanged", "condition ignored"},
        ),
        (ir.Reduce("sum", "rows", ir.Sym("m")), {"mean instead of sum", "wrong axis"}),
        (ir.Call("sign", (ir.Sym("m"),)), {"sign missing"}),
    ],
    ids=["max", "comparison", "where", "reduction", "sign"],
)
def test_choices_go_wrong_in_every_way(node: ir.Expr, kinds: set[str]):
    assert {kind for kind, _ in choices(node, Names(spec.get("adam")))} >= kinds


def test_a_threshold_that_rounding_decides_is_not_made_strict():
    algorithm = spec.get("radam")
    names = Names(algorithm)
    rho, t = ir.Sym("rho"), ir.Sym("t")
    assert names.rounded(rho)
    assert not names.rounded(t)
    assert not names.rounded(ir.Sym("weight_decay"))
    assert not names.rounded(ir.Sym("v"))
    for side, strict in ((rho, False), (t, True)):
        kinds = {kind for kind, _ in choices(ir.Compare(">", side, ir.Const(5)), names)}
        assert ("strictness of the comparison" in kinds) is strict
        assert "threshold one higher" in kinds
