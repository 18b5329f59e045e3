from __future__ import annotations

import pytest
import sympy

from instep.spec import author, ir, recording, registry
from instep.spec.errors import SpecError

GOOD = """
lr = hyper("lr", 1e-3, domain="[0,inf)")
flag = option("flag")
mode = option("mode", "plain", "eps-hat", "other")
t = counter()
m = state("m", "exp_avg")
g = local("g")
let("gradient", g, choose(flag, yes=-grad(theta), no=grad(theta)))
let("moment", m, choose(mode, eps_hat=prev(m) + 2 * g, otherwise=prev(m) + g))
LINE
let("update", theta, theta - lr * m * t)
"""
# The lines above start in line 6 of the file.
LINE = 6 + GOOD.strip().split("\n").index("LINE")

# What is written in the place of LINE, the equation or other name, and the reason. Conditions and
# functions are evaluated before the equation that they stand in is known; their line is.
MISTAKES = [
    (
        "let('x', g, sympy.Max(g, 0))",
        "mine.x",
        "Max cannot be used in a specification; use maximum(",
    ),
    ("let('x', g, max(g, 0))", "mine", "has no truth value here: use maximum, minimum, where("),
    ("if t > 1: pass", "mine", "has no truth value here: use maximum, minimum, where("),
    ("if flag: pass", "mine", "option flag has no truth value here: use when(flag)"),
    ("with when(equal(t, 1) and flag): pass", "mine", "a condition has no truth value here"),
    ("with when(t == 1): pass", "mine.when", "a Python bool is no condition"),
    ("with when(~(t == 1)): pass", "mine.when", "a Python bool is no condition"),
    ("with when(flag & (t == 1)): pass", "mine", "a Python bool is no condition"),
    ("with when((t == 1) | flag): pass", "mine", "a Python bool is no condition"),
    ("let('x', g, where(t == 1, g, m))", "mine.where", "use equal(a, b)"),
    ("let('x', g, t == 1)", "mine.x", "use equal(a, b)"),
    ("with when((t > 1) & (t < 9)): pass", "mine.when", "use holds(a > b) & (c > d)"),
    ("with when(lr): pass", "mine.when", "lr is a number, not a condition"),
    ("with when(mode): pass", "mine.when", "option mode is no condition: write mode == 'plain'"),
    (
        "with when(mode == 'hat'): pass",
        "mine",
        "option mode has no value 'hat'; it has 'plain', 'eps",
    ),
    ("with when(flag == 1): pass", "mine", "option flag has no value 1; it has False, True"),
    (
        "let('x', g, choose(mode, plain=g))",
        "mine.x",
        "has no form for eps_hat, other; add otherwise=",
    ),
    ("let('x', g, choose(mode, hat=g, otherwise=m))", "mine.x", "choose(mode) has no value hat"),
    ("let('x', g, choose(g, plain=g))", "mine.choose", "its first argument is an option, not g"),
    ("let('x', g, 1 + choose(flag, yes=g, no=m))", "mine", "must be the whole right-hand side"),
    ("let('x', g, maximum(choose(flag, yes=g, no=m), 0))", "mine", "choose"),
    ("let('x', g, flag)", "mine.x", "a condition is no number"),
    ("let('x', g, t > 1)", "mine.x", "expected a number, found a condition"),
    ("let('x', g, where(flag, g, m))", "mine.x", "where() on an option; use choose("),
    ("let('x', g, g * sympy.Symbol('c'))", "mine.x", "c is not declared"),
    ("let('x', g, g * c)", "mine", "NameError: name 'c' is not defined"),
    ("let('x', g + 1, g)", "mine.x", "cannot assign to g + 1"),
    ("let('x', g, 'g')", "mine.x", "expected an expression or a number, found 'g'"),
    ("let('x', g, prev(g))", "mine.x", "prev(g): g is no state"),
    ("let('x', lr, g)", "mine.x", "assigns the hyperparameter lr"),
    ("let('x', t, t + 1)", "mine.x", "assigns the step counter t"),
    ("let('gradient', m, g)", "mine.gradient", "names two quantities, g and m"),
    ("let('x', g, g); let('x', g, g)", "mine.x", "two lines on one path have this name"),
    ("let('X', g, g)", "mine.X", "an equation is named in small letters"),
    ("let('x', g, g, form='A b')", "mine.x", "form 'A b' is no word"),
    ("with when(g > 0): let('x', g, 2 * g)", "mine.when", "a branch on lanes; use where("),
    ("with when(flag | equal(t, 1)): pass", "mine.when", "mixes options with values"),
    ("with when(absent(m)): pass", "mine.when", "absent(m) never holds"),
    ("with otherwise(): let('x', g, g)", "mine.otherwise", "there is no when(...) right before it"),
    ("hyper('b', 1.0, domain='[0,1')", "mine.b", "domain '[0,1' is not an interval"),
    ("hyper('b', 1.0, domain='[a,1]')", "mine.b", "its ends must be numbers"),
    ("hyper('b', 2.0, domain='[0,1]')", "mine.b", "default 2.0 is outside its domain [0,1]"),
    ("hyper('b', 1.0, domain='[0,1]', probe=3)", "mine.b", "probe 3 is outside its domain [0,1]"),
    ("hyper('b', 1.0)", "mine.b", "is never used with the default options"),
    ("hyper('bs', (1., 2.))", "mine.bs", "needs names=(...)"),
    ("hyper('bs', (1., 2.), names=('b',))", "mine.bs", "names has 1 entries for 2 defaults"),
    ("hyper('lr', 1.0)", "mine.lr", "is declared twice, first in line 6"),
    ("state('lr', 'k')", "mine.lr", "is declared twice, first in line 6"),
    ("counter('k')", "mine.k", "there is a step counter already, t"),
    ("state('b', 'exp_avg')", "mine.b", "has the state key of m, exp_avg"),
    ("state('b', 'k')", "mine.b", "the state is never written"),
    ("state('b', 'k', init=g)", "mine.b", "its initial value reads g"),
    ("state('b', 'k', when=t > 1)", "mine.b", "when= must be a condition on options"),
    ("option('b')", "mine.b", "the option changes nothing"),
    ("option('b', 'a-b', 'a_b')", "mine.b", "two values of the option are spelled a_b"),
    ("option('b', 'x', 'otherwise')", "mine.b", "must be a word"),
    ("option('b', 'x', 'y', spelling={True: 'z'})", "mine.b", "spelling maps to 'z'"),
    ("hyper('lambda', 1.0)", "mine.lambda", "is no identifier of Python"),
    ("hyper('p', 1.0)", "mine.p", "generated code uses itself"),
    ("inner('slow')", "mine.slow", "the slot is never applied"),
    ("apply('slow')", "mine.slow", "the slot is not declared; use inner(...)"),
    ("push('x', m, g, 3)", "mine.x", "m is no state of shape='history'"),
    ("let('x', g, at(lr, 0))", "mine.x", "lr has no entries to index"),
    ("let('x', g, length(m))", "mine.x", "length(m): m is no history"),
    ("exclude('lr', flag, 'why')", "mine.exclude", "expects a declared symbol, not 'lr'"),
    ("exclude(lr, lr > 0, 'why')", "mine.exclude", "the condition on lr must be one on options"),
    ("require(t > 0, 'why')", "mine.require", "t is no hyperparameter (why)"),
    ("dialect('mine', 'x')", "mine.mine", "a dialect is named as in adamw/decay-after"),
    ("dialect('mine/a', 'x', mode='hat')", "mine.mine/a", "option mode has no value 'hat'"),
    (
        "dialect('mine/a', 'x', none='x')",
        "mine.mine/a",
        "there is no option none; it has flag, mode",
    ),
    ("dialect('mine/a', 'x', defaults={'m': 1})", "mine.mine/a", "there is no hyperparameter m"),
    ("dialect('mine/a', 'x', defaults={'lr': -1})", "mine.mine/a", "lr=-1 is outside its domain"),
    (
        "require(~flag, 'no'); dialect('mine/a', 'x', flag=True)",
        "mine.mine/a",
        "not allowed together",
    ),
    ("import numpy; let('x', g, numpy.sqrt(g))", "mine", "use those of instep.spec.author"),
    ("import math; let('x', g, math.exp(g))", "mine", "use those of instep.spec.author"),
    ("let('x', g, where(equal(g, 0), g))", "mine", "TypeError: where() missing 1 required"),
]


@pytest.mark.parametrize(("line", "name", "reason"), MISTAKES, ids=[m[0] for m in MISTAKES])
def test_a_mistake_is_one_line_with_file_line_name_and_reason(write, line, name, reason):
    path = write(GOOD.replace("LINE", line))
    with pytest.raises(SpecError) as caught:
        registry.load(path)
    message = str(caught.value)
    assert message.startswith(f"mine.py:{LINE}: {name}: "), message
    assert reason in message
    assert "\n" not in message


def test_the_specification_that_the_mistakes_are_put_into_is_good(load):
    assert load(GOOD.replace("LINE", "")).name == "mine"


def test_the_line_is_the_statement_s_in_a_multi_line_block(write):
    body = """
with when(flag):
    let("x", g, 2 * g)
    let("y", g,
        g + undeclared)
"""
    path = write(GOOD.replace("LINE", body.strip()).replace("undeclared", "sympy.Symbol('u')"))
    with pytest.raises(SpecError, match=rf"mine.py:{LINE + 2}: mine.y: u is not declared"):
        registry.load(path)


def test_the_line_is_the_specification_s_when_a_helper_elsewhere_fails(
    write, tmp_path, monkeypatch
):
    (tmp_path / "spec_helper.py").write_text(
        "from instep.spec.author import *\ndef bad(g):\n    let('x', g, t_missing)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    path = write(GOOD.replace("LINE", "import spec_helper; spec_helper.bad(g)"))
    with pytest.raises(SpecError, match=rf"mine.py:{LINE}: mine: NameError"):
        registry.load(path)


@pytest.mark.parametrize(
    "branches",
    [
        "with when(flag):\n    let('x', g, g)\nlet('x', g, g)",
        "with when(flag):\n    let('x', g, g)\n"
        "with otherwise():\n    let('y', g, g)\nlet('x', g, g)",
        "let('x', g, g)\nwith when(equal(t, 1)):\n    let('x', g, g)",
        "with repeat(2):\n    let('x', g, g)\nlet('x', g, g)",
        "with when(equal(t, 1)):\n    let('x', g, g)\nlet('x', g, g)",
    ],
)
def test_two_lines_of_one_path_need_a_form_to_tell_them_apart(load, branches):
    with pytest.raises(SpecError, match=r"mine\.x: two lines on one path have this name; give one"):
        load(GOOD.replace("LINE", branches))


def test_exclusive_branches_may_share_a_name(load):
    branches = (
        "with when(equal(t, 1)):\n    let('x', g, g)\nwith otherwise():\n    let('x', g, 2 * g)"
    )
    assert load(GOOD.replace("LINE", branches)).name == "mine"


def test_two_whens_on_one_line_take_no_otherwise(write):
    body = """
with when(flag), when(equal(t, 1)):
    let("x", g, 2 * g)
with otherwise():
    let("y", g, 3 * g)
"""
    with pytest.raises(
        SpecError, match=rf"mine.py:{LINE + 2}: mine.otherwise: .*write when\(a & b\)"
    ):
        registry.load(write(GOOD.replace("LINE", body.strip())))


@pytest.mark.parametrize(
    "between", ["let('y', g, g)", "let('y', g, choose(flag, yes=g, no=2 * g))"]
)
def test_otherwise_stands_right_after_its_when(write, between):
    body = (
        f"with when(equal(t, 1)):\n    let('x', g, 2 * g)\n{between}\nwith otherwise():\n    pass"
    )
    with pytest.raises(SpecError, match="otherwise: there is no when"):
        registry.load(write(GOOD.replace("LINE", body)))


def test_an_empty_otherwise_is_a_mistake(write):
    body = "with when(equal(t, 1)):\n    let('x', g, 2 * g)\nwith otherwise():\n    pass"
    with pytest.raises(
        SpecError, match=r"otherwise: the branch of line \d+ is empty; leave it out"
    ):
        registry.load(write(GOOD.replace("LINE", body)))


def test_otherwise_comes_once(write):
    body = (
        "with when(flag):\n    let('x', g, 2 * g)\n" + "with otherwise():\n    let('x', g, g)\n" * 2
    )
    with pytest.raises(SpecError, match="otherwise: there is no when"):
        registry.load(write(GOOD.replace("LINE", body.strip())))


@pytest.mark.parametrize(
    "line",
    [
        "hyper('lr', 1.0)",
        "require(theta > 0, 'why')",
        "where(theta > 0, theta, 0)",
        "equal(theta, 0)",
        "accept(sparse=True)",
        "let('update', theta, 0)",
        "when(equal(theta, 0)).__enter__()",
    ],
)
def test_the_vocabulary_outside_of_an_algorithm_says_where(tmp_path, line):
    path = tmp_path / "mine.py"
    path.write_text(f"from instep.spec.author import *\n\n{line}\n")
    with pytest.raises(SpecError, match=r"^mine.py:3: this belongs inside `with algorithm"):
        registry.load(path)


def test_an_error_leaves_nothing_behind(write):
    before = len(recording.finished)
    with pytest.raises(SpecError):
        registry.load(write(GOOD.replace("LINE", "let('x', g, None)")))
    assert len(recording.finished) == before
    x = sympy.Symbol("x")
    assert x + x == 2 * x, "sympy evaluates again"
    with pytest.raises(SpecError, match="this belongs inside"):
        author.local("x", "y")


def test_equations_know_their_lines(load):
    algorithm = load(GOOD.replace("LINE", ""))
    lines = {let.equation: let.line for let in ir.lets(algorithm.body)}
    assert lines == {"gradient": 12, "moment": 13, "update": 15}
    assert dict(algorithm.lines) == {"lr": 6, "flag": 7, "mode": 8, "t": 9, "m": 10}
