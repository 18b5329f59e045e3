"""Every specification agrees with implementations that owe it nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from instep import spec
from instep.conformance.report.model import Report
from instep.conformance.suite import Session, check
from sampling import BY_DEFAULT
from sources import Source, all_sources

SOURCES = all_sources()
EVERY = [source for sources in SOURCES.values() for source in sources]
# A wrong equation is no defect to live with: such a class is no source.
EQUATIONS = ("numerics/", "options/")
FIRST = ("numerics/trajectory", "numerics/defaults")


def judged_whole() -> Iterator[object]:
    """All sources; one of what every third name means by default is judged whole in every run."""
    chosen = set(sorted(BY_DEFAULT)[::3])
    for source in EVERY:
        always = source.dialect in chosen
        chosen.discard(source.dialect)
        marks = () if always else pytest.mark.slow
        yield pytest.param(source, marks=marks, id=source.name)


def one_of_each_dialect() -> Iterator[object]:
    """All sources; the equations of one of every dialect are judged in every run."""
    seen: set[str] = set()
    for source in EVERY:
        marks = pytest.mark.slow if source.dialect in seen else ()
        seen.add(source.dialect)
        yield pytest.param(source, marks=marks, id=source.name)


def one_of_each_default() -> Iterator[object]:
    """All sources; the first one of what every other name means by default is always judged."""
    left = set(sorted(BY_DEFAULT)[1::2])
    for source in EVERY:
        marks = () if source.dialect in left else pytest.mark.slow
        left.discard(source.dialect)
        yield pytest.param(source, marks=marks, id=source.name)


@pytest.mark.parametrize("source", list(one_of_each_dialect()))
def test_the_equations_of_the_source_are_in_step(source: Source):
    session = Session(source.load(), source.dialect, **source.check_keywords())
    for name in FIRST:
        result = session.run(f"{session.prefix}/{name}")
        assert result.status == "passed", result


@pytest.mark.parametrize("source", list(one_of_each_default()))
def test_everything_numeric_of_the_source_is_in_step(source: Source):
    session = Session(source.load(), source.dialect, **source.check_keywords())
    ids = [id for id in session.ids if id.split("/", 1)[1].startswith("numerics/")]
    results = [session.run(id) for id in ids]
    assert len(results) > len(FIRST)
    assert not [str(r) for r in results if r.status == "failed" and r.level == "must"]


@pytest.mark.parametrize("source", list(judged_whole()))
def test_the_source_is_in_step(source: Source):
    report = check(source.load(), source.dialect, **source.check_keywords())
    ran = {r.id.split("/", 1)[1] for r in report.results}
    assert failed(report) == set(source.defects) & ran, report.to_text()


@pytest.mark.slow
@pytest.mark.parametrize("source", EVERY, ids=lambda s: s.name)
def test_the_source_is_in_step_at_level_full(source: Source):
    report = check(source.load(), source.dialect, level="full", **source.check_keywords())
    assert failed(report) == set(source.defects), report.to_text()


def failed(report: Report) -> set[str]:
    return {r.id.split("/", 1)[1] for r in report.failures if r.level == "must"}


@pytest.mark.parametrize("source", EVERY, ids=lambda s: s.name)
def test_a_source_gets_the_equations_right(source: Source):
    assert not [name for name in source.defects if name.startswith(EQUATIONS)]


def specifications() -> set[str]:
    wrappers = {spec.get(f"{name}(sgd)").spec.partition("(")[0] for name in spec.wrappers()}
    return {spec.get(name).spec for name in spec.dialects()} | wrappers


@pytest.mark.parametrize("name", sorted(specifications()))
def test_two_independent_sources_for_every_specification(name: str):
    sources = SOURCES.get(name.replace("-", "_"), ())
    assert len({s.origin for s in sources}) >= 2


@pytest.mark.parametrize("dialect", spec.dialects())
def test_a_source_for_every_dialect(dialect: str):
    assert dialect in {s.dialect for s in EVERY}


@pytest.mark.parametrize("wrapper", spec.wrappers())
def test_a_source_for_every_dialect_of_a_wrapper(wrapper: str):
    whole = spec.get(f"{wrapper}(sgd)")
    own = {d.name.partition("(")[0] for d in whole.dialects}
    assert own <= {s.dialect.partition("(")[0] for s in EVERY}


def test_every_file_is_of_a_specification():
    assert set(SOURCES) <= {name.replace("-", "_") for name in specifications()}
