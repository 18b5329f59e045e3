"""Checks in a process beside ours: a subject that kills it, or hangs in it, ends one check.

The process opens a session and tells of each check before and after it runs. When it ends without
having told how a check went, that check is errored, and another process goes on with the rest.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from instep.conformance.configuration import Settings
from instep.conformance.errors import UsageError
from instep.conformance.expectations import Expectations
from instep.conformance.report.merging import merged
from instep.conformance.report.model import Report, Result

if TYPE_CHECKING:
    from instep.conformance.suite import Progress, Session

# A subject that kills more processes than this is not tried any further.
MOST_DEATHS = 5
# One check may have to run the three that the others lean on; the rest is for starting up.
PATIENCE, GRACE = 4, 60.0


@dataclass(frozen=True)
class Head:
    """What a session says before its first check."""

    report: Report
    checks: tuple[tuple[str, str, str], ...]


@dataclass
class Collected:
    """What is known so far: the head, a report of each check that ended, and what killed whom."""

    head: Head | None = None
    parts: dict[str, Report] = field(default_factory=dict)
    lost: dict[str, Result] = field(default_factory=dict)

    @property
    def left(self) -> list[str]:
        """Ids of the checks that nothing is known of."""
        assert self.head is not None
        known = {*self.parts, *self.lost}
        return [id for id, _, _ in self.head.checks if id not in known]

    def lose(self, id: str, why: str) -> None:
        """Note that a check did not come to an end."""
        assert self.head is not None
        level, requirement = next((a, b) for name, a, b in self.head.checks if name == id)
        self.lost[id] = Result(id, level, "errored", requirement, why)

    def report(self, expectations: Expectations) -> Report:
        """Everything, in the order of the checks."""
        assert self.head is not None
        lost = {id: self._part(expectations.apply(result)) for id, result in self.lost.items()}
        known = {**self.parts, **lost}
        parts = [known[id] for id, _, _ in self.head.checks]
        return merged([self.head.report, *parts])

    def _part(self, result: Result) -> Report:
        assert self.head is not None
        coverage = replace(self.head.report.coverage, ran=1)
        return replace(self.head.report, results=(result,), coverage=coverage)


def isolated_report(target: str, chosen: Settings, progress: Progress | None = None) -> Report:
    """The report of a subject, `module:attribute`, that never runs in this process.

    Raises:
        UsageError, SpecError, SubjectError: as a session in this process would.
    """
    found = Collected()
    while found.head is None or found.left:
        _run_one(target, chosen, found, progress)
        if len(found.lost) > MOST_DEATHS:
            why = f"not tried: the process has died {len(found.lost)} times"
            for id in found.left:
                found.lose(id, why)
    ids = tuple(id for id, _, _ in found.head.checks)
    return found.report(Expectations(chosen.expected_failures, ids))


def _run_one(target: str, chosen: Settings, found: Collected, progress: Progress | None) -> None:
    """Start a process and listen to it until it ends, of itself or not."""
    context = multiprocessing.get_context("spawn")  # a fork would share torch's threads
    ours, theirs = context.Pipe(duplex=False)
    arguments = (target, chosen, frozenset(found.parts), dict(found.lost), theirs)
    process = context.Process(target=_serve, args=arguments, daemon=True)
    process.start()
    theirs.close()
    running = ""
    patience = PATIENCE * chosen.timeout + GRACE if chosen.timeout else None
    try:
        for kind, value in _heard(ours, patience):
            match kind:
                case "head":
                    found.head = value
                case "runs":
                    running = value
                    _tell(progress, found, running)
                case "ended":
                    found.parts[running], running = value, ""
                case "raised":
                    raise value
    except TimeoutError:
        process.kill()
        _mourn(found, running, f"no answer for {patience:g} s: the process was killed")
        return
    finally:
        if process.is_alive():
            process.join(GRACE)
            process.kill()
        process.join()
    if found.head is None or found.left:
        _mourn(found, running, f"the process ended with {_ending(process.exitcode)}")


def _mourn(found: Collected, running: str, why: str) -> None:
    """Charge a death to the check that ran; before any did, nothing can be judged."""
    if found.head is None or not running:
        raise UsageError(f"{why}, before any check ran")
    found.lose(running, why)


def _heard(connection: Connection, patience: float | None) -> Iterator[tuple[str, Any]]:
    """What a process says until it ends; TimeoutError if it is silent for too long."""
    while True:
        if not connection.poll(patience):
            raise TimeoutError
        try:
            yield connection.recv()
        except EOFError:
            return


def _tell(progress: Progress | None, found: Collected, id: str) -> None:
    assert found.head is not None
    if progress is not None:
        progress(len(found.parts) + len(found.lost), len(found.head.checks), id)


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"


def _serve(
    target: str,
    chosen: Settings,
    done: frozenset[str],
    lost: dict[str, Result],
    connection: Connection,
) -> None:
    """The process: everything that it finds out goes through the connection."""
    from instep.conformance.locate import locate
    from instep.conformance.suite import Session

    try:
        session = Session(locate(target), chosen.spec, **chosen.keywords())
        connection.send(("head", _head(session)))
        for result in lost.values():
            session.assume(result)
        for id in session.ids:
            if id not in done and id not in lost:
                connection.send(("runs", id))
                connection.send(("ended", session.report_of(id)))
    except Exception as error:
        connection.send(("raised", _portable(error)))


def _head(session: Session) -> Head:
    from instep.conformance.reporting import build_report

    checks = tuple((id, c.level, c.requirement) for id, c in session.checks.items())
    return Head(build_report(session, [], 0.0), checks)


def _portable(error: Exception) -> Exception:
    """The error without what cannot be sent: its cause, and what it carries."""
    import pickle

    error.__cause__ = error.__context__ = None
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
