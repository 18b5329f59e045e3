"""Every realistic bug is found by a check that must pass, and named where it has a name."""

from __future__ import annotations

import pytest
import torch

from instep.conformance.checks.numerics import quantities, slug
from instep.conformance.suite import Session, check
from meta.broken import BEHAVIOUR, BUGS, CONSTRUCTION, EQUATIONS, STATE, TENSORS, Bug, isolation
from meta.broken.behaviour import PlainAdam

# Topics whose checks have to stay silent about each other's defects.
ABOUT_STATE = ("checkpoints", "copies", "hooks", "parameters", "state")
ABOUT_TENSORS = ("isolation", "metamorphic", "modes", "tensors", "types")


def test_there_are_enough_of_them():
    assert len(EQUATIONS) >= 26
    assert len({b.name for b in BUGS}) == len(BUGS)


def test_without_a_defect_they_would_pass():
    report = check(PlainAdam, "adam/paper")
    assert report.ok, report.to_text()


@pytest.mark.parametrize("bug", EQUATIONS, ids=lambda b: b.name)
def test_a_wrong_equation_is_found_and_named(bug: Bug):
    session = Session(bug.subject, bug.spec)
    result = session.run(f"{session.prefix}/{bug.check}")
    assert (result.status, result.level) == ("failed", "must")
    assert session.diagnosis is not None
    names = [c.name for c in session.diagnosis.candidates]
    assert bug.diagnosis in names if bug.diagnosis else not names


@pytest.mark.parametrize("bug", BEHAVIOUR, ids=lambda b: b.name)
def test_wrong_behaviour_is_found_by_its_check_and_equations_are_in_step(bug: Bug):
    session = bug.session()
    result = session.run(f"{session.prefix}/{bug.check}")
    assert (result.status, result.level) == ("failed", bug.level)
    _, last = quantities(session.plan.algorithm)[-1]
    for name in ("trajectory", slug(last)):
        assert session.run(f"{session.prefix}/numerics/{name}").status == "passed"


@pytest.mark.parametrize("bug", CONSTRUCTION, ids=lambda b: b.name)
def test_what_one_constructor_takes_it_refuses_all_else(bug: Bug):
    assert must_checks_failed(bug, ("errors",)) == expected(bug)


@pytest.mark.parametrize("bug", STATE, ids=lambda b: b.name)
def test_a_defect_of_state_fails_no_check_like_it(bug: Bug):
    like = {name for name in expected(bug) if name.startswith(ABOUT_STATE)}
    assert must_checks_failed(bug, ABOUT_STATE) == like


@pytest.mark.parametrize("bug", TENSORS, ids=lambda b: b.name)
def test_a_defect_of_tensors_fails_no_check_like_it(bug: Bug):
    like = {name for name in expected(bug) if name.startswith(ABOUT_TENSORS)}
    assert must_checks_failed(bug, ABOUT_TENSORS) == like


@pytest.mark.slow
@pytest.mark.parametrize("bug", [*CONSTRUCTION, *STATE, *TENSORS], ids=lambda b: b.name)
def test_such_a_defect_fails_no_other_check(bug: Bug):
    assert must_checks_failed(bug) == expected(bug)


def expected(bug: Bug) -> set[str]:
    return {*bug.also, *([bug.check] if bug.level == "must" else [])}


def must_checks_failed(bug: Bug, topics: tuple[str, ...] = ()) -> set[str]:
    session = bug.session()
    session.explains = False
    chosen = [id for id, one in session.checks.items() if one.level == "must"]
    found = [session.run(id) for id in chosen if not topics or id.split("/")[1] in topics]
    return {r.id.split("/", 1)[1] for r in found if r.status in ("failed", "errored")}


def test_what_a_subject_leaves_behind_ends_with_the_check():
    session = Session(isolation.LeavesGradientsOff, "adam/paper")
    for name in session.ids:
        result = session.run(name)
        assert torch.is_grad_enabled(), name
        wrong = (result.status, result.level) in (("failed", "must"), ("errored", "must"))
        assert wrong == name.endswith("isolation/modes"), result.message
