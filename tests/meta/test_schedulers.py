"""Broken schedulers are caught by the check meant for them; correct ones raise no alarm."""

from __future__ import annotations

import zlib

import pytest

from instep import spec
from instep.conformance.schedules import suite
from instep.conformance.schedules.mutate import mutants
from instep.conformance.schedules.suite import Session, check_scheduler
from meta.broken.schedulers import ALONE, BUGS, Step
from meta.correct.schedulers import CORRECT
from meta.schedule_strength import Judge, table_of

NAMES = spec.schedule_names()
# A mutant in so many is tried in every run; `benchmarks/strength.py` tries them all.
SHARE = {
    "cosine-annealing-warm-restarts": 16,
    "cyclic-lr": 20,
    "one-cycle-lr": 32,
    "reduce-lr-on-plateau": 32,
    "warmup-stable-decay": 20,
}
VALUES = ("numerics", "options", "metrics", "forms")


def test_what_the_broken_ones_are_made_of_is_in_step():
    assert check_scheduler(Step, "step-lr").ok


@pytest.mark.parametrize("bug", BUGS, ids=lambda b: b.subject.__name__)
def test_a_broken_scheduler_fails_its_check(bug, monkeypatch):
    if bug.diagnosis is None:  # the search takes longer than everything else
        monkeypatch.setattr(suite, "diagnose", lambda *_: None)
    session = Session(bug.subject, bug.spec)
    result = session.run(f"{session.prefix}/{bug.check}")
    assert result.status == "failed", result
    if bug.diagnosis is not None:
        assert bug.diagnosis in [c.name for c in session.diagnosis.candidates]


def test_every_check_of_behaviour_has_a_scheduler_that_fails_it():
    kinds = {i.partition("/")[2] for i, _, _ in suite.catalogue()}
    asked = {k for k in kinds if k.partition("/")[0] not in VALUES or k.startswith("forms/")}
    assert asked - {b.check for b in BUGS} == {"construction/base"}


@pytest.mark.parametrize("bug", ALONE, ids=lambda b: b.subject.__name__)
def test_a_broken_scheduler_fails_no_other_check(bug):
    whole, base = (failed(subject, bug.spec) for subject in (bug.subject, bug.subject.__base__))
    assert whole - base == {bug.check}


def failed(subject, name: str) -> set[str]:
    """What fails besides numbers, of which one run is enough here."""
    session = Session(subject, name)
    asked = [c.name for c in session.checks.values() if c.name.partition("/")[0] not in VALUES]
    results = [session.run(f"{name}/{check}") for check in (*asked, "numerics/dyadic")]
    return {r.id.partition("/")[2] for r in results if r.status in ("failed", "errored")}


@pytest.mark.parametrize(("subject", "name"), CORRECT, ids=lambda x: getattr(x, "__name__", str(x)))
def test_a_correct_scheduler_raises_no_alarm(subject, name):
    report = check_scheduler(subject, name)
    assert report.ok, report.to_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_of_mutants_is_caught(name):
    judge, share = Judge(spec.get(name)), SHARE.get(name, 4)
    chosen = [
        m
        for m in mutants(judge.algorithm)
        if zlib.crc32(f"{m.name}{m.description}".encode()) % share == 0
    ]
    fates = [judge.fate(m) for m in chosen]
    assert fates
    left = [f for f in fates if f.status not in ("killed", "equivalent", "argued")]
    assert not left, "\n".join([*map(str, left), table_of(fates)])


@pytest.mark.parametrize("name", NAMES)
def test_the_specification_itself_fails_nothing(name):
    judge = Judge(spec.get(name))
    assert [judge.killer(form) for form in judge.forms] == [""] * len(judge.forms)
