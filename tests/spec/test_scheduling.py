"""Specifications of schedules: the vocabulary, what it refuses, and that both forms agree."""

from __future__ import annotations

from dataclasses import replace

import mpmath
import numpy as np
import pytest

from instep import spec
from instep.conformance.schedules.probes import ProbeFactory
from instep.spec import SpecError, ir, render
from instep.spec.arithmetic import Exact, Float64
from instep.spec.interpret import Interpreter

HEAD = "from instep.spec.scheduling import *\n\nwith schedule('own', 'Own') as spec:\n"
NAMES = spec.schedule_names()
TWO_FORMS = [name for name in NAMES if spec.get(name).schedule.closed]


def written(tmp_path, body: str):
    path = tmp_path / "own.py"
    path.write_text(HEAD + "".join(f"    {line}\n" for line in body.splitlines()))
    return spec.get(str(path))


def run(algorithm, arithmetic, probe, closed=False):
    if closed:
        algorithm = replace(algorithm, body=algorithm.schedule.closed)
    runner = Interpreter(
        algorithm, arithmetic, [], options=probe.options, hyperparameters=probe.values
    )
    for epoch in range(probe.epochs + 1):
        runner.step(inputs=probe.inputs(algorithm, epoch, 0))
        yield runner.optimizer_state["lr"]


def probes(algorithm):
    factory = ProbeFactory(algorithm)
    yield factory.make("base")
    yield factory.make("fine", factory.fine_values())
    for symbol, value in factory.corners():
        made = factory.make("corner", {symbol: value})
        if made is not None:
            yield made


@pytest.mark.parametrize("name", TWO_FORMS)
def test_recurrence_and_closed_form_agree_to_45_digits(name):
    algorithm = spec.get(name)
    with mpmath.workdps(60):
        for probe in probes(algorithm):
            pairs = zip(
                run(algorithm, Exact(), probe), run(algorithm, Exact(), probe, True), strict=True
            )
            for epoch, (chained, closed) in enumerate(pairs):
                away = abs(mpmath.mpf(chained) - mpmath.mpf(closed))
                assert away < mpmath.mpf(10) ** -45, (probe, epoch, chained, closed)


def test_construction_is_the_step_of_epoch_zero():
    algorithm = spec.get("constant-lr")
    probe = ProbeFactory(algorithm).make("base", {"n": 2})
    rates = [float(x) for x in run(algorithm, Float64(), probe)]
    assert rates[:4] == [0.125, 0.125, 0.5, 0.5]


def test_a_list_is_counted():
    algorithm = spec.get("multi-step-lr")
    probe = ProbeFactory(algorithm).make("base")
    rates = np.array(list(run(algorithm, Float64(), probe)), dtype=float)
    assert list(np.log(rates[0] / rates[:11]) / np.log(4)) == [0, 0, 1, 1, 1, 3, 3, 3, 3, 4, 4]


@pytest.mark.parametrize("name", NAMES)
def test_every_schedule_is_rendered_in_every_notation(name):
    algorithm = spec.get(name)
    keep = render.switches(algorithm)
    for text in (
        render.text_algorithm(algorithm, keep=keep),
        render.text_algorithm(algorithm, keep=keep, ascii=True),
        render.latex_algorithm(algorithm, keep=keep),
    ):
        assert "closed form" in text or not algorithm.schedule.closed
    assert "for t = 0, 1, ..." in render.text_algorithm(algorithm)
    assert r"t = 0, 1, \ldots" in render.latex_algorithm(algorithm)


def test_an_equation_of_the_closed_form_is_found():
    assert render.text_equation(spec.get("step-lr"), "closed_form") == "γ ← γ̄·a^⌊t/n⌋"
    with pytest.raises(SpecError, match="nearest: closed_form"):
        render.text_equation(spec.get("step-lr"), "closed_from")


def test_schedules_are_no_algorithms():
    assert not set(NAMES) & set(spec.names())
    assert not {spec.get(n).full_name for n in NAMES} & set(spec.dialects())
    assert spec.get("step-lr/torch").name == "step-lr"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("let('rate', lr, prev(lr))\nwith closed_form():\n    let('c', lr, prev(lr))", "prev"),
        (
            "m = entry('m', 'momentum', init=0)\nlet('rate', lr, base_lr)\nlet('m', m, 1)\n"
            "with closed_form():\n    let('c', lr, base_lr)",
            "does not assign m",
        ),
        ("let('rate', lr, base_lr * unknown)", "unknown"),
        ("x = hyper('x', 1.0)\nlet('rate', lr, base_lr)", "x: is never used"),
        ("x = local('x')\nlet('rate', lr, base_lr * x)", "x"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, body, reason):
    with pytest.raises(SpecError, match=reason):
        written(tmp_path, body)


def test_the_vocabulary_belongs_into_a_schedule(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(
        "from instep.spec.scheduling import *\nfrom instep.spec.author import algorithm\n\n"
        "with algorithm('own', 'Own') as spec:\n    metric('x')\n"
    )
    with pytest.raises(SpecError, match="inside `with schedule"):
        spec.get(str(path))


def test_the_largest_value_of_a_list_stays_on_the_host():
    milestones = ir.Reduce("sum", "all", ir.Sym("m"))
    from instep.spec.scope import Scope, infer

    scopes = infer(spec.get("multi-step-lr"))
    assert scopes.of(milestones) <= Scope.OPTIMIZER
