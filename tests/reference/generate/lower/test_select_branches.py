"""Branches that the step counter decides become selections, and compute the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from instep.reference.generate.lower.select_branches import select_branches
from instep.spec import get, ir
from instep.spec.arithmetic import Float64
from instep.spec.interpret import Interpreter

HEAD = """
from instep.spec.author import *

with algorithm("sample", "Sample") as spec:
    lr, mu = hyper("lr", 0.5), hyper("momentum", 0.0)
    flag = option("flag", argument=True)
    t, b = counter(), state("b", "buffer")
    g, k = local("g"), local("k")
    let("gradient", g, choose(flag, yes=-grad(theta), no=grad(theta)))
"""
BODIES = {
    "one side": """
    let("buffer", b, prev(b) + g)
    with when(t > 2):
        let("update", theta, theta - lr * b * mu)
""",
    "a state on one side": """
    with when(t > 2):
        let("buffer", b, prev(b) + mu * g)
        let("update", theta, theta - lr * b)
""",
    "nested": """
    let("count", k, t / 2)
    with when(k > 1):
        with when(t > 3):
            let("buffer", b, prev(b) + g)
        with otherwise():
            let("buffer", b, prev(b) - g)
        let("update", theta, theta - lr * b)
    with otherwise():
        let("update", theta, theta - mu * g)
        let("buffer", b, prev(b) + theta)
""",
    "an option inside": """
    let("buffer", b, prev(b) + mu * g)
    with when(t > 2):
        with when(flag):
            let("momentum", g, g + b)
        let("update", theta, theta - lr * g)
""",
}


@pytest.fixture
def algorithm(request, tmp_path):
    path = tmp_path / "sample.py"
    path.write_text(HEAD + BODIES[request.param])
    return get(str(path))


def run(algorithm, body, flag):
    machine = Interpreter(
        replace(algorithm, body=body),
        Float64(),
        [np.array([1.0, -2.0])],
        options={"flag": flag},
        hyperparameters={"momentum": 0.25},
    )
    for step in range(5):
        machine.step([np.array([0.5, step - 2.0])])
        yield machine.slots[0].theta.tolist(), machine.slots[0].state["b"].tolist()


@pytest.mark.parametrize("flag", [False, True])
@pytest.mark.parametrize("algorithm", BODIES, indirect=True)
def test_the_same_is_computed(algorithm, flag):
    body = select_branches(algorithm, algorithm.body)
    assert body is not None
    branches = [s for s in ir.statements(body) if isinstance(s, ir.If)]
    assert all(ir.is_static(b.condition) for b in branches)
    assert list(run(algorithm, body, flag)) == list(run(algorithm, algorithm.body, flag))


def test_a_branch_on_the_shape_stays_though_the_parameter_has_moved(tmp_path):
    path = tmp_path / "sample.py"
    path.write_text(
        HEAD
        + """
    let("buffer", b, prev(b) + g)
    let("update", theta, theta - lr * b / t)
    with when(ndim(theta) > 1):
        let("decay", theta, theta - mu * theta)
"""
    )
    algorithm = get(str(path))
    assert select_branches(algorithm, algorithm.body) is None


def test_without_such_a_branch_there_is_nothing_to_do():
    assert select_branches(get("adam"), get("adam").body) is None
