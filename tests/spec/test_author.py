from __future__ import annotations

import pytest

from instep.spec import author, ir


def test_a_star_import_brings_the_vocabulary_and_nothing_else():
    scope = {}
    exec("from instep.spec.author import *", scope)
    names = set(scope) - {"__builtins__"}
    assert names == set(author.__all__)
    assert not names & set(
        dir(__builtins__) if not isinstance(__builtins__, dict) else __builtins__
    )
    assert len(author.__all__) == len(set(author.__all__))


@pytest.mark.parametrize(
    "name", ["beta", "gamma", "zeta", "S", "N", "E", "I", "Q", "O", "pi", "oo", "nan"]
)
def test_names_that_sympy_uses_itself_are_plain_symbols(load, name):
    algorithm = load(f"""
x = hyper("{name}", 0.5)
let("update", theta, theta - x * grad(theta))
""")
    (let,) = algorithm.body
    assert let.value == ir.Binary(
        "-", ir.Sym("theta"), ir.Binary("*", ir.Sym(name), ir.Grad(ir.Sym("theta")))
    )


def test_conditions_combine_in_written_order(load):
    algorithm = load("""
lr = hyper("lr", 1.0)
flag = option("flag")
t = counter()
g = local("g")
let("gradient", g, grad(theta))
with when(flag | (flag == False)):
    let("x", g, g * t)
with when((t > 5) & ~(equal(t, 7) | holds(t < 3))):
    let("y", g, where((lr >= 2) | equal(g, 0), g, 0))
let("update", theta, theta - lr * g)
""")
    _, static, scalar, _ = algorithm.body
    on = ir.Compare("==", ir.Opt("flag"), ir.Value(True))
    assert static.condition == ir.Logic(
        "or", (on, ir.Compare("==", ir.Opt("flag"), ir.Value(False)))
    )
    t = ir.Sym("t")
    seven, three = ir.Compare("==", t, ir.Const(7)), ir.Compare("<", t, ir.Const(3))
    neither = ir.Logic("not", (ir.Logic("or", (seven, three)),))
    assert scalar.condition == ir.Logic("and", (ir.Compare(">", t, ir.Const(5)), neither))
    (let,) = scalar.then
    large = ir.Compare(">=", ir.Sym("lr"), ir.Const(2))
    zero = ir.Compare("==", ir.Sym("g"), ir.Const(0))
    assert let.value == ir.Where(ir.Logic("or", (large, zero)), ir.Sym("g"), ir.Const(0))


def forms(algorithm):
    return [(let.form, let.value) for let in ir.lets(algorithm.body) if let.equation == "x"]


CHOOSE = """
lr = hyper("lr", 1.0)
mode = option("mode", "a", "b-c", "d", "e")
g = local("g")
let("gradient", g, grad(theta))
let("x", g, choose(mode, FORMS))
let("update", theta, theta - lr * g)
"""


def test_choose_branches_on_every_value_but_the_last(load):
    algorithm = load(CHOOSE.replace("FORMS", "a=g, b_c=2 * g, d=3 * g, e=4 * g"))
    assert [form for form, _ in forms(algorithm)] == ["a", "b-c", "d", "e"]
    branch = algorithm.body[1]
    tested = []
    while isinstance(branch, ir.If):
        tested.append(branch.condition)
        (branch,) = branch.otherwise
    assert tested == [ir.Compare("==", ir.Opt("mode"), ir.Value(v)) for v in ("a", "b-c", "d")]


def test_values_of_one_form_share_a_branch_named_after_the_first(load):
    algorithm = load(CHOOSE.replace("FORMS", "a=2 * g, d=2 * g, b_c=g, e=g"))
    assert [form for form, _ in forms(algorithm)] == ["a", "b-c"]
    a, d = (ir.Compare("==", ir.Opt("mode"), ir.Value(v)) for v in ("a", "d"))
    assert algorithm.body[1].condition == ir.Logic("or", (a, d))


def test_otherwise_covers_the_rest_last_and_unnamed(load):
    algorithm = load(CHOOSE.replace("FORMS", "d=2 * g, otherwise=g"))
    assert forms(algorithm) == [
        ("d", ir.Binary("*", ir.Const(2), ir.Sym("g"))),
        ("", ir.Sym("g")),
    ]


def test_loops_and_histories(load):
    algorithm = load("""
lr = hyper("lr", 1.0)
h = state("h", "history", shape="history")
g, s, a = local("g"), local("s"), local("a")
let("gradient", g, grad(theta))
let("sum", s, g)
with repeat(length(h), start=1, until=rms(s) > 9, down=True) as i:
    let("weight", at(a, i), total(g * at(h, i)))
    let("sum", s, s + at(a, i) * at(h, i), form="next")
push("remember", h, g, 10)
let("update", theta, theta - lr * s)
""")
    _, _, loop, push, _ = algorithm.body
    i = ir.Sym("i")
    assert (loop.variable, loop.start, loop.stop, loop.down) == (
        "i",
        ir.Const(1),
        ir.Len("h"),
        True,
    )
    assert loop.body[0].target == ir.At("a", i)
    assert push == ir.Push("remember", "h", ir.Sym("g"), ir.Const(10))
