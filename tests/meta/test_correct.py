"""No false alarms: correct optimizers in unusual styles, none bit for bit like ours."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from instep.conformance.subject import Subject, run
from instep.conformance.suite import Session, check
from instep.reference import eager
from meta.correct import REWRITES, Rewrite

LACKS = {"float64": (), "float32": ("float64",)}
# Dialects that no class of ours computes have nothing to differ from.
EXPORTED = [r for r in REWRITES if r.reference is not None]


def test_there_are_enough_of_them():
    assert len(EXPORTED) >= 24
    assert len({r.name for r in REWRITES}) == len(REWRITES)


@pytest.mark.parametrize("widest", LACKS)
@pytest.mark.parametrize("rewrite", REWRITES, ids=lambda r: r.name)
def test_no_must_check_fails(rewrite: Rewrite, widest: str):
    report = check(rewrite.subject, rewrite.spec, lacks=LACKS[widest])
    failed = [r for r in report.results if r.level == "must" and r.status in ("failed", "errored")]
    assert not failed, report.to_text()
    # Green because it was judged, not because it was skipped.
    judged = [r for r in report.results if r.status == "passed" and r.worst is not None]
    assert len(judged) >= 6


@pytest.mark.parametrize("rewrite", EXPORTED, ids=lambda r: r.name)
def test_it_is_not_our_code(rewrite: Rewrite):
    session = Session(rewrite.subject, rewrite.spec)
    name, keywords = rewrite.reference
    ours = Subject(partial(getattr(eager, name), **keywords), session.context.algorithm)
    probe = session.context.probes.make("bits", dtype="float32")
    ours, theirs = run(ours, probe), run(session.subject, probe)
    pairs = zip(ours.moments[-1].parameters, theirs.moments[-1].parameters, strict=True)
    different = np.concatenate([np.ravel(a != b) for a, b in pairs])
    assert np.mean(different) >= 0.01
