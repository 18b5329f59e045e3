"""Blocks of equations with a precision of their own, and requirements on shapes."""

from __future__ import annotations

import numpy as np
import pytest

from instep.spec import ir
from instep.spec.arithmetic import Float64
from instep.spec.author import (
    algorithm,
    choose,
    dialect,
    equal,
    grad,
    hyper,
    let,
    local,
    matmul,
    ndim,
    option,
    precision,
    repeat,
    require,
    rows,
    theta,
    transpose,
)
from instep.spec.conditions import misshapen
from instep.spec.errors import SpecError
from instep.spec.interpret import Interpreter
from instep.spec.registry import get
from instep.spec.rewriting import rewrite_body


def halved(narrowest="bfloat16", **precisions):
    with algorithm("halved", "Half of it in a narrow type") as spec:
        dialect("halved/as-declared", "here")
        dialect("halved/other", "there", precisions=precisions)
        lr = hyper("lr", 0.5)
        x, y = local("x"), local("y")
        let("gradient", x, grad(theta))
        with precision("inside", narrowest):
            let("double", y, x + x)
            let("triple", y, y + x)
        let("update", theta, theta - lr * y)
    return spec.algorithm


class Noting(Float64):
    """Notes what happens in which block."""

    def __init__(self):
        self.now, self.sums, self.entries = "", [], []

    def block(self, name):
        self.now = name

    def entered(self, x):
        self.entries.append(self.now)
        return x

    def binary(self, op, a, b):
        self.sums.append((op, self.now))
        return super().binary(op, a, b)


def test_equations_remember_their_block_and_the_algorithm_its_type():
    made = halved()
    blocks = {let.equation: let.block for let in ir.lets(made.body)}
    assert blocks == {"gradient": "", "double": "inside", "triple": "inside", "update": ""}
    assert [(b.name, b.narrowest) for b in made.blocks] == [("inside", "bfloat16")]
    assert {let.block for let in ir.lets(rewrite_body(made.body, lambda x: None))} == {
        "",
        "inside",
    }


def test_a_dialect_decides_about_the_type_of_a_block():
    declared = halved(inside="own")
    first, other = map(declared.bind, declared.dialects)
    assert (declared.narrow, first.narrow, other.narrow) == (
        {"inside": "bfloat16"},
        {"inside": "bfloat16"},
        {},
    )
    assert other.bind(declared.dialects[0]).narrow == first.narrow
    assert other.body == first.body
    wide = halved("own", inside="float16")
    assert [wide.bind(d).narrow for d in wide.dialects] == [{}, {"inside": "float16"}]


def test_a_wrapper_computes_what_it_holds_in_the_types_of_its_dialect():
    names = ("adamuon/paper", "adamuon/average")
    held = [get(f"lookahead({name})").narrow for name in names]
    assert held == [get(name).narrow for name in names]
    assert [len(types) for types in held] == [1, 2]


def test_the_interpreter_says_where_it_is_and_what_crosses_the_border():
    arithmetic = Noting()
    Interpreter(halved(), arithmetic, [np.ones(2)]).step([np.ones(2)])
    assert arithmetic.sums == [("+", "inside"), ("+", "inside"), ("*", ""), ("-", "")]
    # x three times on the way in, y once on the way out.
    assert arithmetic.entries == ["inside", "inside", "inside", ""]


def test_loops_and_their_rounds_belong_to_the_block_around_them():
    with algorithm("looped", "A loop in a block") as spec:
        n = hyper("n", 2, domain="Z[1,inf)")
        x = local("x")
        with precision("inside", "float16"):
            let("start", x, grad(theta))
            with repeat(n):
                let("double", x, x + x)
        let("update", theta, theta - x)
    assert [let.block for let in ir.lets(spec.algorithm.body)] == ["inside", "inside", ""]
    runner = Interpreter(
        spec.algorithm, Float64(), [np.zeros(1)] * 3, groups=[((1,), {"n": 3}), ((2,), {"n": 1})]
    )
    runner.step([np.ones(1)] * 3)
    assert [float(slot.theta[0]) for slot in runner.slots] == [-4, -8, -2]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: halved("int8"), r"halved.inside: its narrowest type is one of .*, not 'int8'"),
        (
            lambda: halved(inside="int8"),
            r"halved/other: inside: its narrowest type is one of .*, own, not 'int8'",
        ),
        (lambda: halved(outside="own"), "halved/other: there is no block outside; it has inside"),
        (lambda: twice("inside", "inside"), "two blocks of this precision have one name"),
        (lambda: nested(), "it stands inside the block outer; close that one first"),
        (lambda: empty(), "the block holds no equation"),
    ],
)
def test_blocks_that_make_no_sense(make, message):
    with pytest.raises(SpecError, match=message):
        make()


def twice(*names):
    with algorithm("twice", "Two blocks"):
        x = local("x")
        for name in names:
            with precision(name, "bfloat16"):
                let("copy", x, grad(theta))
        let("update", theta, theta - x)


def nested():
    blocks = (precision(name, "bfloat16") for name in ("outer", "inner"))
    with algorithm("nested", "One in the other"), next(blocks), next(blocks):
        let("update", theta, theta - grad(theta))


def empty():
    with algorithm("empty", "Nothing in it"):
        with precision("inside", "bfloat16"):
            pass
        let("update", theta, theta - grad(theta))


def matrices(condition):
    with algorithm("matrices", "Matrices only") as spec:
        require(condition(), "it takes matrices")
        let("update", theta, theta - transpose(transpose(grad(theta))))
    return spec.algorithm


def test_shapes_are_required_of_every_parameter():
    made = matrices(lambda: equal(ndim(theta), 2))
    assert made.requirements == ()
    assert [r.message for r in misshapen(made, (3,))] == ["it takes matrices"]
    assert misshapen(made, (3, 1)) == []
    wide = matrices(lambda: rows(theta) < 4)
    assert [bool(misshapen(wide, s)) for s in [(3, 9), (4, 1), (9,), ()]] == [
        False,
        True,
        True,
        True,
    ]


def test_a_condition_on_shapes_speaks_of_theta_alone():
    with pytest.raises(SpecError, match="asks for that of theta alone"):
        mixed()


def mixed():
    with algorithm("mixed", "Mixed"):
        lr = hyper("lr", 0.5)
        require(rows(theta) < lr, "it is small")
        let("update", theta, theta - lr * grad(theta))


def test_none_stands_for_a_value_that_is_spelled_otherwise_too():
    with algorithm("spelled", "Spelled") as spec:
        kind = option("kind", "a", "b", argument=True, spelling={None: "a", "a": "a", "b": "b"})
        k = local("k")
        let("factor", k, choose(kind, a=1, b=2))
        let("update", theta, theta - k * grad(theta))
    argument = spec.algorithm.option("kind").argument
    assert argument.unsaid == "a"
    assert argument.option_value(None) == "a"
    assert argument.constructor_value("a") == "a"


def test_none_may_be_the_only_spelling():
    with algorithm("unsaid", "Unsaid") as spec:
        kind = option("kind", "a", "b", argument=True, spelling={None: "a", "b": "b"})
        k = local("k")
        let("factor", k, choose(kind, a=1, b=2))
        let("update", theta, theta - k * grad(theta))
    argument = spec.algorithm.option("kind").argument
    assert argument.unsaid is None
    assert argument.expresses("a")
    assert argument.option_value(None) == "a"
    assert argument.constructor_value("a") is None


def test_shapes_that_do_not_fit_are_said_to_be_those_of_an_equation():
    with algorithm("misfit", "Rows times rows") as spec:
        a = local("a")
        let("product", a, matmul(theta, theta))
        let("update", theta, theta - a)
    runner = Interpreter(spec.algorithm, Float64(), [np.ones((2, 3))])
    with pytest.raises(SpecError, match="product: the shapes do not fit"):
        runner.step([np.ones((2, 3))])
