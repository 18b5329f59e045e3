"""Every defect that was reported of a released optimizer is found, and diagnosed as it says."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from instep.conformance.suite import Session, check
from meta.reported import CORRECT, KINDS, REPORTED, UNSEEN, Defect

# A diagnosis takes a second, twenty times what finding the defect takes, and these take more.
DEAR = ("muon", "lbfgs", "radam")
DIAGNOSED = [
    d if k % 8 == 0 and d.family not in DEAR else pytest.param(d, marks=pytest.mark.slow)
    for k, d in enumerate(REPORTED)
]
BASES = pytest.mark.parametrize(
    ("subject", "spec"), CORRECT, ids=[f"{getattr(s, 'func', s).__name__}-{d}" for s, d in CORRECT]
)


def name(defect: Any) -> str:
    return defect.name if isinstance(defect, Defect) else ""


def test_there_are_enough_of_them_well_spread():
    assert len(REPORTED) >= 60
    assert len({d.family for d in REPORTED}) >= 12
    kinds = Counter(d.kind for d in REPORTED)
    assert kinds.keys() == set(KINDS)
    assert min(kinds.values()) >= 5


def test_each_has_a_name_of_its_own_and_says_where_it_was_reported():
    everything = (*REPORTED, *UNSEEN)
    assert len({d.name for d in everything}) == len(everything)
    for defect in everything:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+#\d+", defect.source), defect.source
        assert getattr(defect.subject, "func", defect.subject).__doc__


def test_what_is_not_named_is_explained():
    numeric = [d for d in REPORTED if d.check.partition("/")[0] in ("numerics", "options")]
    assert not [d.name for d in numeric if d.diagnosis is None and not d.why]
    assert not [d.name for d in UNSEEN if not d.why]


@BASES
def test_without_its_defect_each_would_pass(subject: Any, spec: str):
    judged = Session(subject, spec)
    for one in sorted({d.check for d in REPORTED if d.spec == spec}):
        assert judged.run(f"{judged.prefix}/{one}").status == "passed", one


@pytest.mark.slow
@BASES
def test_each_base_is_in_step(subject: Any, spec: str):
    report = check(subject, spec)
    assert report.ok, report.to_text()


@pytest.mark.parametrize("defect", REPORTED, ids=name)
def test_it_is_found(defect: Defect):
    judged = defect.session(explains=False)
    result = judged.run(f"{judged.prefix}/{defect.check}")
    assert (result.status, result.level) == (defect.status, "must"), result.message


@pytest.mark.parametrize("defect", DIAGNOSED, ids=name)
def test_it_is_named(defect: Defect):
    judged = defect.session()
    assert judged.run(f"{judged.prefix}/{defect.check}").status == defect.status
    names = [c.name for c in judged.diagnosis.candidates] if judged.diagnosis else []
    assert defect.diagnosis in names if defect.diagnosis else not names


@pytest.mark.parametrize("defect", UNSEEN, ids=name)
def test_it_is_still_not_found(defect: Defect):
    judged = defect.session(explains=False)
    assert judged.run(f"{judged.prefix}/{defect.check}").status != "failed"
