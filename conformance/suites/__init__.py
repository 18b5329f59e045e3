"""Suites frozen by name: which checks there are, and at which level, whatever is added later.

A suite has checks of optimizers, of learning-rate schedules and of traces. A check is known by its
kind: its name with what comes from the specification (hyperparameters, equations, options) left
open. `hyperparameters/*-changed` is one kind for all algorithms, those of tomorrow and of other
people included.

    python -m instep.conformance.suites freeze 2026.2
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from instep.conformance.checks.base import Plan
from instep.conformance.checks.numerics import slug
from instep.conformance.errors import UsageError
from instep.conformance.report.model import LEVELS
from instep.spec import ir
from instep.spec.model import Algorithm

LATEST = "latest"
FORMAT = "instep-suite@1"
OPTIMIZERS, SCHEDULES, TRACES = DOORS = ("optimizers", "schedules", "traces")
# Whatever flags a constructor has.
FLAGGED = "implementations/*"
_RENAMED = "renamed.json"


class Named(Protocol):
    """What a suite knows of a check, whatever it judges; an empty kind is that of its name."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def level(self) -> str: ...  # noqa: D102
    @property
    def kind(self) -> str: ...  # noqa: D102


C = TypeVar("C", bound=Named)


@dataclass(frozen=True, slots=True)
class Entry:
    """One kind of check in a suite.

    Attributes:
        levels: those at which checks of the kind are, the gravest first.
        quick: whether it exists at level quick too.
        everywhere: whether every optimizer of the catalogue had it.
    """

    levels: tuple[str, ...]
    quick: bool
    everywhere: bool = False

    def exists(self, plan: Plan) -> bool:
        """Whether the suite has it at the level of a plan."""
        return self.quick or plan.thorough

    def level_of(self, check: Named) -> str:
        """The level at which the suite has a check."""
        return check.level if check.level in self.levels else self.levels[-1]


@dataclass(frozen=True, slots=True)
class Selection(Generic[C]):
    """What a suite makes of the checks that there are.

    Attributes:
        checks: those that it has, with its levels and under its names.
        newer: names of those that it does not have: they do not run.
        gone: names that it has and that exist no more.
    """

    checks: tuple[C, ...]
    newer: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suite:
    """One door of a frozen suite, or with no entries the latest checks, which are what they are.

    Attributes:
        specs: names of the specifications of its time.
        renamed: {name then: name now}, of literal names.
    """

    name: str
    entries: Mapping[str, Entry] = field(default_factory=dict)
    specs: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = field(default_factory=dict)

    def select(self, plan: Plan, checks: Iterable[C]) -> Selection[C]:
        """The checks of a plan that are in the suite, as they were in it."""
        known = tuple(checks)
        if not self.entries:
            return Selection(known)
        own = words(plan.algorithm)
        before = {now: then for then, now in self.renamed.items()}
        kept, newer = [], []
        for check in known:
            name = before.get(check.name, check.name)
            entry = self._entry(name, check.kind, own)
            if entry is not None and entry.exists(plan):
                kept.append(replace(check, name=name, level=entry.level_of(check)))
            else:
                newer.append(check.name)
        return Selection(tuple(kept), tuple(newer), tuple(self._gone(plan, kept)))

    def _entry(self, name: str, given: str, own: Sequence[str]) -> Entry | None:
        opened = FLAGGED if name.startswith(FLAGGED[:-1]) else given or kind(name, own)
        return self.entries.get(name) or self.entries.get(opened)

    def _gone(self, plan: Plan, kept: Iterable[Named]) -> Iterator[str]:
        """Only of what all had is it known that this one had it too."""
        if plan.algorithm.name not in self.specs or plan.algorithm.result == "gradient":
            return
        names = {check.name for check in kept}
        for name, entry in self.entries.items():
            if entry.everywhere and entry.exists(plan) and name not in names:
                yield name


def names() -> list[str]:
    """Frozen suites, the oldest first."""
    files = (path.name for path in resources.files(__name__).iterdir())
    found = [name.removesuffix(".json") for name in files if name.endswith(".json")]
    return sorted(set(found) - {_RENAMED.removesuffix(".json")}, key=_by_number)


def _by_number(name: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", name)]


@cache
def load(name: str, door: str = OPTIMIZERS) -> Suite:
    """What a suite has at one door; `latest` is what exists now, and not frozen.

    Raises:
        UsageError: there is none of that name, or its file has another format.
    """
    if name == LATEST:
        return Suite(LATEST)
    if name not in names():
        known = ", ".join([LATEST, *reversed(names())])
        raise UsageError(f"there is no suite {name!r}: there are {known}")
    record = _read(f"{name}.json")
    if set(record) != {"format", "name", *DOORS} or (record["format"], record["name"]) != (
        FORMAT,
        name,
    ):
        raise UsageError(f"{name}.json is no suite {name} of format {FORMAT}")
    entries = {k: _entry(v) for k, v in record[door]["checks"].items()}
    return Suite(name, entries, frozenset(record[door]["specs"]), _read(_RENAMED)[door])


def _read(file: str) -> dict[str, Any]:
    return dict(json.loads(resources.files(__name__).joinpath(file).read_text("utf-8")))


def _entry(plain: Mapping[str, Any]) -> Entry:
    levels = tuple(level for level in LEVELS if level in plain["levels"])
    return Entry(levels, plain["quick"], plain.get("everywhere", False))


def kind(name: str, own: Sequence[str]) -> str:
    """The name of a check with the first of the specification's own words left open."""
    topic, _, rest = name.partition("/")
    for word in own:
        opened = re.sub(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", "*", rest)
        if opened != rest:
            return f"{topic}/{opened}"
    return name


def words(algorithm: Algorithm) -> tuple[str, ...]:
    """What a specification brings, as it stands in ids, the longest first."""
    own = [w for h in algorithm.hyperparameters for w in (h.name, h.key)]
    own += [s.name for s in algorithm.states]
    own += [let.equation for let in ir.lets(algorithm.body)]
    own += [w for o in algorithm.options for w in (o.name, *(f"{o.name}-{v}" for v in o.values))]
    own += [view.name for view in algorithm.views]
    return tuple(sorted({slug(word) for word in own}, key=lambda w: (-len(w), w)))
