"""`--instep-report F`: one file about everything that a run of pytest judged, however it was run.

Each item leaves a report of its own check on pytest's report of the item, which xdist brings home
from its workers; where the run ends they are put together and written.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from instep.conformance.errors import UsageError
from instep.conformance.report import formats

if TYPE_CHECKING:
    from instep.conformance.decorator import PytestCheck
    from instep.conformance.report.model import Report

ATTRIBUTE = "instep_part"


def part(item: pytest.Item, check: PytestCheck) -> dict[str, Any]:
    """What an item's report carries: whose check it was, its place among them, and its report."""
    from instep.conformance.report.json import plain

    decorated = isinstance(item, pytest.Function)
    return {
        "subject": item.nodeid.partition("[")[0] if decorated else item.nodeid.partition("::")[0],
        "place": check.session.ids.index(check.id),
        "report": plain(check.session.report_of(check.id)),
    }


class ReportWriter:
    """Collects the parts of a run, and writes them where it ends.

    Args:
        paths: files to write, by the user's names for them.
        folder: what relative paths are relative to.

    Raises:
        UsageError: a file or its format cannot be written.
    """

    def __init__(self, paths: Sequence[str], folder: Path) -> None:
        self.files = {path: formats.format_of(path) for path in paths}
        self.folder = folder
        self.parts: dict[str, dict[int, Report]] = {}
        self.written: list[str] = []
        for path, name in self.files.items():
            formats.require(name)
            if not (folder / path).parent.is_dir():
                raise UsageError(f"cannot write {path}: its folder does not exist")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what an item's report carries; a check that is run again replaces itself."""
        found = getattr(report, ATTRIBUTE, None)
        if found is not None:
            from instep.conformance.report.json import from_plain

            own = self.parts.setdefault(found["subject"], {})
            own[found["place"]] = from_plain(found["report"])

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Write the files, also of a run that was cut short."""
        from instep.conformance.report.merging import merged

        reports = [
            merged([report for _, report in sorted(parts.items())]) for parts in self.parts.values()
        ]
        for path, name in self.files.items():
            (self.folder / path).write_text(formats.rendered(name, reports), encoding="utf-8")
            self.written.append(path)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what was written."""
        for path in self.written:
            terminalreporter.write_line(f"instep: wrote {path}")
