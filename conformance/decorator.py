"""`@conformance(...)`: one test function becomes one pytest item per check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from instep.conformance.report.model import OutOfStepError, Result

if TYPE_CHECKING:
    from instep.conformance.suite import Session
    from instep.spec.model import Algorithm

F = TypeVar("F", bound=Callable[..., Any])

MARK = "__instep_request__"
ARGUMENT = "check"


class CheckFailedError(OutOfStepError):
    """A check failed under pytest; the message is its block of the report."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a decorator asks for; the session is made when pytest collects."""

    subject: Any
    spec: str | Algorithm
    keywords: dict[str, Any] = field(default_factory=dict)

    def open(self) -> Session:
        """The session; raises UsageError or SpecError."""
        from instep.conformance.suite import Session

        return Session(self.subject, self.spec, **self.keywords)


def conformance(
    subject: Any, spec: str | Algorithm, *, strict: bool = False, **keywords: Any
) -> Callable[[F], F]:
    """Decorate `def test_x(check): check()`, which becomes one item per check.

    Args:
        subject: a class, functools.partial or callable `(params, **keywords)`.
        spec: public name, dialect, path of a specification file, or an Algorithm.
        strict: whether checks below level must fail their item too.
        keywords: those of `check`.
    """
    request = Request(subject, spec, keywords)

    def decorate(function: F) -> F:
        setattr(function, MARK, (request, strict))
        return function

    return decorate


class PytestCheck:
    """What a decorated test gets as `check`: a call runs one check and tells pytest how it went."""

    def __init__(self, session: Session, id: str, strict: bool, invocation: str = "") -> None:
        self.session, self.id, self.strict, self.invocation = session, id, strict, invocation
        self.called = False
        self.result: Result | None = None

    def __repr__(self) -> str:
        return self.id

    def __call__(self) -> Result:
        """Run the check.

        Raises:
            CheckFailedError: it failed, and decides (level must, or `strict`).
        """
        __tracebackhide__ = True
        import pytest

        self.called = True
        self.result = result = self.session.run(self.id)
        match result.status:
            case "skipped" | "insensitive":
                pytest.skip(self.reason)
            case "xfailed":
                pytest.xfail(result.message)
            case "xpassed":
                raise CheckFailedError(f"{result.id} is a stale expected failure: it passes")
            case "failed" | "errored" if self.strict or result.level == "must":
                raise CheckFailedError(self.block())
        return result

    @property
    def reason(self) -> str:
        """Why it was skipped."""
        assert self.result is not None
        loud = "INSENSITIVE, neither passed nor failed: "
        return (loud if self.result.status == "insensitive" else "") + self.result.message

    @property
    def undecided(self) -> bool:
        """Whether it failed without deciding anything."""
        return self.result is not None and self.result.status in ("failed", "errored")

    def block(self) -> str:
        """What the report says of the result."""
        from instep.conformance.report.block import Context, block_text

        assert self.result is not None
        reproduce = f"instep repro {self.id} {self.invocation}" if self.invocation else ""
        context = Context(self.session.subject.name, self.session.diagnosis_of(self.id), reproduce)
        text = block_text(self.result, context)
        cause = self.result.consequence_of
        return f"{text}  follows from {cause}\n" if cause else text
