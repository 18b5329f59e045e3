from __future__ import annotations

import pytest

from instep.spec import get, ir
from instep.spec.gradients import evaluations, needs_closure, reads
from instep.spec.options import assignments, resolve


@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_one_gradient_a_step_under_every_assignment(name):
    algorithm = get(name)
    for options in assignments(algorithm):
        body = resolve(algorithm.body, options)
        assert evaluations(body) == 1
        assert needs_closure(body) is (options.get("gradient_at") == "lookahead")


BODIES = {
    "one": ("let('g', g, grad(theta))", 1, False),
    "the same point twice": ("let('g', g, grad(theta) + grad(theta))", 1, False),
    "two points": ("let('g', g, grad(theta) + grad(theta - g0))", 2, True),
    "away from theta": ("let('g', g, grad(theta - g0))", 1, True),
    "after theta moved": ("let('move', theta, theta - g0)\nlet('g', g, grad(theta))", 1, True),
    "before and after theta moved": (
        "let('g', g, grad(theta))\nlet('move', theta, theta - g)\nlet('b', g, grad(theta))",
        2,
        True,
    ),
    "loss and gradient at one point": ("let('g', g, grad(theta) * loss(theta))", 1, True),
    "in exclusive branches": (
        "with when(g0 > 1):\n    let('g', g, grad(theta))\n"
        "with otherwise():\n    let('g', g, -grad(theta))",
        1,
        False,
    ),
    "in a branch and after it": (
        "let('g', g, g0)\nwith when(g0 > 1):\n    let('g', g, grad(theta), form='b')\n"
        "let('g', g, g + grad(theta), form='c')",
        2,
        True,
    ),
    "in a loop that moves": (
        "let('g', g, g0)\nwith repeat(3):\n    let('g', g, grad(theta), form='b')\n"
        "    let('move', theta, theta - g)",
        2,
        True,
    ),
    "in a loop that stays": (
        "let('g', g, g0)\nwith repeat(3):\n    let('g', g, grad(theta), form='b')",
        1,
        False,
    ),
}


@pytest.mark.parametrize(("body", "count", "closure"), BODIES.values(), ids=BODIES)
def test_evaluations_follow_paths_and_points(load, body, count, closure):
    algorithm = load(f"""
g0 = hyper("g0", 0.5)
g = local("g")
{body}
let("update", theta, theta - g * g0)
""")
    assert evaluations(algorithm.body) == count
    assert needs_closure(algorithm.body) is closure


def test_reads_means_the_current_value():
    assert reads(ir.Binary("+", ir.Sym("a"), ir.Const(1)), "a")
    assert reads(ir.At("a", ir.Const(0)), "a")
    assert not reads(ir.Prev("a"), "a")
