"""To freeze a suite: every kind of check that exists, over the whole catalogue."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from instep import spec as specs
from instep.conformance.checks import collect
from instep.conformance.checks.base import Plan
from instep.conformance.errors import UsageError
from instep.conformance.implementations import FLAGS
from instep.conformance.report.model import LEVELS
from instep.conformance.schedules.probes import ProbeFactory
from instep.conformance.schedules.suite import every
from instep.conformance.suites import (
    FLAGGED,
    FORMAT,
    OPTIMIZERS,
    SCHEDULES,
    TRACES,
    kind,
    names,
    words,
)
from instep.conformance.traces.checks import every as of_traces

Row = tuple[str, str, str, str, bool]
FOLDER = Path(__file__).parent


@dataclass
class _Seen:
    """What was seen of checks of one name or kind."""

    levels: set[str] = field(default_factory=set)
    quick: bool = False
    having: set[str] = field(default_factory=set)


def freeze(name: str, *, again: bool = False, folder: Path = FOLDER) -> Path:
    """Write the suite of all checks as they are now.

    Raises:
        UsageError: a suite of this name is frozen already, and not to be frozen again.
    """
    path = folder / f"{name}.json"
    if name in names() and not again:
        raise UsageError(f"{name} is frozen: what was promised by name stays (--again before it)")
    path.write_text(json.dumps(record(name), indent=1) + "\n", encoding="utf-8")
    return path


def record(name: str, dialects: Sequence[str] | None = None) -> dict[str, Any]:
    """The suite as its file has it, of the whole catalogue or some of it."""
    wrapped = [f"{wrapper}(sgd)" for wrapper in specs.wrappers()]
    chosen = list(dialects or dict.fromkeys([*specs.names(), *specs.dialects(), *wrapped]))
    flags = {f"implementations/{flag}": _Seen({"must"}, quick=True) for flag in sorted(FLAGS)}
    # Those are there where a constructor has them; other flags are told only.
    optimizers = _entries(_optimizers(chosen), {**flags, FLAGGED: _Seen({"info"}, quick=True)})
    return {
        "format": FORMAT,
        "name": name,
        OPTIMIZERS: {"specs": specs.names(), "checks": optimizers},
        SCHEDULES: {"specs": specs.schedule_names(), "checks": _entries(_schedules())},
        TRACES: {"specs": specs.names(), "checks": _entries(_traces(chosen))},
    }


def _entries(rows: Iterable[Row], more: Mapping[str, _Seen] | None = None) -> dict[str, Any]:
    """The checks of one door, as the file has them."""
    seen, owners = _everything(list(rows))
    return {
        key: {
            "levels": [level for level in LEVELS if level in found.levels],
            "quick": found.quick,
            **({"everywhere": True} if "*" not in key and found.having >= owners else {}),
        }
        for key, found in sorted({**seen, **(more or {})}.items())
    }


def _everything(rows: Sequence[Row]) -> tuple[dict[str, _Seen], set[str]]:
    """Names and kinds of all checks, and whose they are, functions of gradients left aside.

    A name that some specification does not bring, as `gradients/none` where no equation is called
    `none`, is meant literally by all of them.
    """
    literal = {name for name, opened, *_ in rows if name == opened}
    seen: defaultdict[str, _Seen] = defaultdict(_Seen)
    for name, opened, owner, level, quick in rows:
        found = seen[name if name in literal else opened]
        found.levels.add(level)
        found.quick = found.quick or quick
        found.having.add(owner)
    owners = {owner for _, _, owner, *_ in rows}
    return dict(seen), {o for o in owners if specs.get(o).result != "gradient"}


# ---- (name, kind, specification, level, whether at level quick) of every check there is


def _optimizers(dialects: Iterable[str]) -> Iterator[Row]:
    for dialect in dialects:
        algorithm = specs.get(dialect)
        own = words(algorithm)
        for plan in (Plan(algorithm, "quick"), Plan(algorithm, "full")):
            for check in collect(plan):
                opened = check.kind or kind(check.name, own)
                yield check.name, opened, dialect, check.level, not plan.thorough


def _schedules() -> Iterator[Row]:
    for name in specs.schedule_names():
        for check in every(ProbeFactory(specs.get(name))):
            yield check.name, check.kind or check.name, name, check.level, True


def _traces(dialects: Iterable[str]) -> Iterator[Row]:
    for dialect in dialects:
        for check in of_traces(specs.get(dialect)):
            yield check.name, check.kind, dialect, check.level, True
