"""What mixes lanes: reductions, matrix products, gradients away from the stored point."""

from __future__ import annotations

import pytest

from instep.spec.algebra import Budget, equal, parse, program
from instep.spec.algebra.execute import UnsupportedError
from instep.spec.algebra.induction import Question, induction
from instep.spec.algebra.relation import Relation
from instep.spec.algebra.step_map import step_map

QUICK = Budget(points=120, search_seconds=1.0)
HEAD = """
lr = hyper("lr", 1e-3, domain="[0,inf)")
b1 = hyper("beta1", 0.9, domain="[0,1)")
eps = hyper("eps", 1e-8, domain="(0,inf)")
t = counter()
m, v = state("m", "m"), state("v", "v")
g = local("g")
let("gradient", g, grad(theta))
let("moment", m, b1*prev(m) + (1 - b1)*g)
let("second", v, b1*prev(v) + (1 - b1)*g**2)
let("update", theta, theta - lr*({update}) - (m + v + g + eps*b1**t))
"""


@pytest.fixture
def compare(load):
    """The verdict on two updates that are alike but for one term."""

    def compare(a, b, **settings):
        left, right = (load(HEAD.format(update=x)) for x in (a, b))
        return equal(left, right, budget=QUICK, **settings)

    return compare


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("m/(norm(m) + eps)", "m/(sqrt(total(m*m)) + eps)"),
        ("total(m + 2*lr*v)", "total(m) + lr*total(v)*2"),
        ("mean(m - v)*g", "g*(mean(m) - mean(v))"),
        ("row_mean(m*v)", "row_mean(v*m)"),
        ("m/(sqrt(total_over_params(m**2)) + eps)", "m/(eps + sqrt(total_over_params(m*m)))"),
        ("matmul(matmul(m, transpose(m)), v)", "matmul(matmul(2*m - m, transpose(m)), v)"),
        ("maximum(lr*m, lr*v)", "lr*maximum(v, m)"),
        ("maximum(sqrt(v), eps)", "sqrt(maximum(v, eps**2))"),
        ("maximum(m, maximum(v, eps))", "maximum(maximum(m, v), eps)"),
        ("where(m*g > 0, m, 0)", "where(0 < g*m, m, 0)"),
        ("where(m > 0, m, 0)", "where(m >= 0, m, 0)"),
        ("sign(m)*m", "sqrt(m**2)"),
        ("grad(theta - lr*m)", "grad(theta - m*lr)"),
        ("m/numel(theta)", "m/numel(v)"),
        ("t**(-0.8)*m", "m/t**0.8"),
    ],
)
def test_equal(compare, a, b):
    assert compare(a, b).status == "equal"


DIFFERENT = pytest.mark.parametrize(
    ("a", "b"),
    [
        ("m/(norm(m) + eps)", "m/(total(m*m) + eps)"),
        ("total(m)*g", "total(g)*m"),
        ("total_over_params(norm(m)*g)", "norm(m)*total_over_params(g)"),
        ("row_mean(m)*v", "mean(m)*v"),
        ("row_mean(m)*v", "col_mean(m)*v"),
        ("m/(sqrt(total_over_params(m**2)) + eps)", "m/(norm(m) + eps)"),
        ("matmul(matmul(m, transpose(v)), m)", "matmul(matmul(v, transpose(m)), m)"),
        ("where(m*g > 0, m, 0)", "where(m*g >= 0, m, 0)"),
        ("grad(theta - lr*m)", "grad(theta)"),
        ("m/maximum(eps, norm(m))", "m*minimum(1/eps, 1/norm(m))"),
        ("m/(1 - b1**t)", "m/(1 - b1)"),
        ("total(abs(g))*m", "total(g)*m"),
    ],
)


@DIFFERENT
def test_different(compare, a, b):
    assert compare(a, b).status == "different"


@DIFFERENT
def test_the_prover_alone_does_not_prove_it(load, a, b):
    left, right = (program(load(HEAD.format(update=x))) for x in (a, b))
    question = Question(left, right, Relation.identity(left, right))
    assert induction(question, 10.0)[1] is not None


def test_a_case_of_one_lane_says_nothing_about_a_sum(compare):
    """sign(g) is 1 in the lane where g > 0, but the sum goes over all lanes."""
    verdict = compare("total(abs(g))*g", "total(g*sign(g))*g")
    assert verdict.status == "undecided"


def test_what_is_not_known_stays_undecided(compare):
    """Matrix products associate, which the algebra does not use."""
    left = "matmul(matmul(m, transpose(v)), m)"
    assert compare(left, "matmul(m, matmul(transpose(v), m))").status == "undecided"


def test_branches_and_choices(load):
    branch = HEAD.replace("let(\"update\", theta, theta - lr*({update})", """
with when(equal(t, 1)):
    let("update", theta, theta - lr*g - (m + v + g + eps*b1**t))
with otherwise():
    let("update", theta, theta - lr*m - (m + v + g + eps*b1**t))
#""")  # fmt: skip
    left = load(branch.strip())
    assert equal(left, load(HEAD.format(update="where(equal(t, 1), g, m)"))).status == "equal"
    assert equal(left, load(HEAD.format(update="m"))).status == "different"


def test_paths_of_a_step():
    paths = step_map("sgd/torch").paths
    by_text = {p.describe(): p for p in paths}
    assert len(by_text) == len(paths) == 8
    plain = by_text["absent(b) and weight_decay == 0 and momentum == 0"]
    assert plain.values == {"theta": parse("prev(theta) - lr*grad(prev(theta))")}
    first = by_text["absent(b) and weight_decay == 0 and not momentum == 0"]
    assert first.values["b"] == parse("grad(prev(theta))")
    bound = step_map("sgd/torch", bindings={"momentum": 0, "weight_decay": 0})
    assert [p.describe() for p in bound.paths] == ["absent(b)", "not absent(b)"]
    assert bound.paths[1].values["b"] == parse("prev(b)")


def test_a_loop_of_unknown_length_is_refused(load):
    looped = load("""
lr = hyper("lr", 1e-3, domain="[0,inf)")
n = hyper("n", 3, domain="Z[1,inf)")
x = local("x")
let("start", x, grad(theta))
with repeat(n):
    let("halve", x, x/2)
let("update", theta, theta - lr*x)
""")
    with pytest.raises(UnsupportedError, match="no literal number of rounds"):
        step_map(looped)
    verdict = equal(looped, program(looped, bindings={"n": 3}), budget=QUICK)
    assert verdict.status == "different"
    three = program(looped, bindings={"n": 3})
    assert len(step_map(three).paths) == 1
