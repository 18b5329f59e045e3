"""Every name has one value on a path; both sides of a branch end with the same names."""

from __future__ import annotations

import pytest

from instep.reference.generate.errors import GenerateError, NoListFormError
from instep.reference.generate.lower.form import Branch, assigns
from instep.reference.generate.lower.resolve_options import resolve_options
from instep.reference.generate.lower.single_assignment import single_assignment
from instep.spec import dialects, get, ir


def lowered(algorithm):
    return single_assignment(algorithm, resolve_options(algorithm))


def test_rebinding_becomes_versions(own, listing):
    algorithm = own("""
lr, wd = hyper("lr", 0.1), hyper("wd", 0.0)
m, g = state("m", "m"), local("g")
let("gradient", g, grad(theta))
let("l2", g, g + wd * theta)
let("moment", m, prev(m) + g)
let("decay", theta, theta - wd * prev(theta))
let("update", theta, theta - lr * m * prev(m))
""")
    program = lowered(algorithm)
    assert listing(program) == [
        "g.1 = grad",
        "g.2 = (g.1 + (wd * theta.0))",
        "m.1 = (m.0 + g.2)",
        "theta.1 = (theta.0 - (wd * theta.0))",
        "theta.2 = (theta.1 - ((lr * m.1) * m.0))",
    ]
    assert program.result == "theta.2"
    assert [a.stores for a in assigns(program.block)] == ["", "", "m", "theta", "theta"]


def test_sides_of_a_branch_are_joined(own, listing):
    algorithm = own("""
lr, mu = hyper("lr", 0.1), hyper("mu", 0.0)
g, d = local("g"), local("d")
let("gradient", g, grad(theta))
with when(mu > 0):
    let("direction", d, mu * g)
with otherwise():
    let("direction", d, g, form="plain")
with when(mu > 1):
    let("decay", theta, theta - mu * theta)
let("update", theta, theta - lr * d)
""")
    assert listing(lowered(algorithm)) == [
        "g.1 = grad",
        "if",
        "  d.1 = (mu * g.1)",
        "  d.3 = d.1",
        "else",
        "  d.2 = g.1",
        "  d.3 = d.2",
        "if",
        "  theta.1 = (theta.0 - (mu * theta.0))",
        "  theta.2 = theta.1",
        "else",
        "  theta.2 = theta.0",
        "theta.3 = (theta.2 - (lr * d.3))",
    ]


def paths(block):
    """Assigned names along every path through a block."""
    out = [[]]
    for s in block:
        if isinstance(s, Branch):
            sides = [*paths(s.then), *paths(s.otherwise)]
            out = [[*path, *side] for path in out for side in sides]
        else:
            out = [[*path, s.target] for path in out]
    return out


def straight(name: str) -> bool:
    """Whether a body has a straight-line form: no loops, no second gradient."""
    statements = ir.statements(get(name).body)
    return name != "nesterov/paper" and not any(isinstance(s, ir.Repeat) for s in statements)


@pytest.mark.parametrize("name", list(filter(straight, dialects())))
def test_no_path_assigns_a_name_twice(name):
    for path in paths(lowered(get(name)).block):
        assert len(path) == len(set(path))


def test_a_loop_has_no_straight_line_form(own):
    algorithm = own("""
lr = hyper("lr", 0.1)
g = local("g")
let("gradient", g, grad(theta))
with repeat(3):
    let("double", g, g + g)
let("update", theta, theta - lr * g)
""")
    with pytest.raises(NoListFormError, match="Repeat of loops and histories"):
        lowered(algorithm)


def test_an_unknown_statement_is_an_error_that_names_it():
    with pytest.raises(GenerateError, match="single assignment: unknown node Apply"):
        single_assignment(get("adam"), (ir.Apply("slot"),))
