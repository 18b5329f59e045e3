"""The pytest plugin: `pytest --instep mypkg:MyAdamW=adamw`, and `@conformance(...)`.

Every pytest run imports this module, so it imports nothing that is dear: whatever needs torch or
sympy waits until a check is asked for.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from instep.conformance.decorator import PytestCheck, Request

# Equal to decorator.MARK, which importing would bring the report's model with it.
MARK = "__instep_request__"
PROPERTY = "instep"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--instep` and what goes with it."""
    group = parser.getgroup("instep", "conformance of optimizers")
    group.addoption(
        "--instep",
        action="append",
        default=[],
        metavar="SUBJECT=SPEC",
        help="check an optimizer, module:attribute=spec; one item per check (repeatable)",
    )
    group.addoption(
        "--instep-level",
        choices=("quick", "full"),
        help="which checks --instep runs (default: quick)",
    )
    group.addoption(
        "--instep-suite",
        metavar="NAME",
        help="checks as they were frozen by name, 2026.1 (default: [tool.instep], else latest)",
    )
    group.addoption(
        "--instep-strict",
        action="store_true",
        help="checks of level should and info fail their items too",
    )
    group.addoption(
        "--instep-report",
        action="append",
        default=[],
        metavar="FILE",
        help="write what was judged to a .json, .html, .md or .badge.json file (repeatable)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """With --instep and no path, nothing else is collected."""
    if config.getoption("instep") and config.args_source is not config.ArgsSource.ARGS:
        config.args = []
    # A worker only passes on what it finds out.
    if config.getoption("instep_report") and not hasattr(config, "workerinput"):
        _write_reports(config)


def _write_reports(config: pytest.Config) -> None:
    from instep.conformance.collecting import ReportWriter
    from instep.conformance.errors import UsageError

    try:
        writer = ReportWriter(config.getoption("instep_report"), config.invocation_params.dir)
    except UsageError as error:
        raise pytest.UsageError(f"--instep-report: {error}") from None
    config.pluginmanager.register(writer, "instep-report")


# ---- items of --instep


class Subject(pytest.Collector):
    """All checks of one `--instep SUBJECT=SPEC`."""

    def collect(self) -> Iterator[pytest.Item]:
        """One item per check."""
        strict = self.config.getoption("instep_strict")
        try:
            checks = _open(self._request(), strict, self._invocation())
        except Exception as error:
            _refuse(error)
        for check in checks:
            yield Check.from_parent(self, name=check.id, check=check)

    def _request(self) -> Request:
        from instep.conformance.configuration import configured
        from instep.conformance.decorator import Request
        from instep.conformance.errors import UsageError
        from instep.conformance.locate import locate

        target, _, spec = self.name.partition("=")
        level = self.config.getoption("instep_level")
        settings = configured(target, self.config.invocation_params.dir)
        suite = self.config.getoption("instep_suite")
        settings = settings.overridden(spec=spec, level=level, suite=suite)
        if not settings.spec:
            raise UsageError(f"--instep takes module:attribute=spec, not {self.name!r}")
        return Request(locate(target), settings.spec, settings.keywords())

    def _invocation(self) -> str:
        target, _, spec = self.name.partition("=")
        return f"--subject {target}" + (f" --spec {spec}" if spec else "")


class Check(pytest.Item):
    """One check of a subject."""

    def __init__(self, *, check: PytestCheck, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.check = check

    def runtest(self) -> None:
        """Run it."""
        self.check()

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it stands: below its subject, in no file."""
        return self.path, None, self.nodeid


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the items of --instep to what was collected, before -k and -m select."""
    for word in config.getoption("instep"):
        node = Subject.from_parent(session, name=word, nodeid=word)
        items.extend(session.genitems(node))


def _open(request: Request, strict: bool, invocation: str = "") -> Sequence[PytestCheck]:
    from instep.conformance.decorator import PytestCheck

    session = request.open()
    return [PytestCheck(session, name, strict, invocation) for name in session.ids]


def _refuse(error: Exception) -> NoReturn:
    """What the user can mend is one line; everything else keeps its traceback."""
    from instep.conformance.errors import SubjectError, UsageError
    from instep.spec.errors import SpecError

    if isinstance(error, UsageError | SpecError | SubjectError):
        raise pytest.Collector.CollectError(f"instep: {error}") from error
    raise error


# ---- items of @conformance


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item per check for a decorated function."""
    mark = getattr(metafunc.function, MARK, None)
    if mark is None:
        return
    request, strict = mark
    if "check" not in metafunc.fixturenames:
        line = f"below @conformance, write `def {metafunc.function.__name__}(check): check()`"
        raise pytest.Collector.CollectError(line)
    try:
        request = _under_suite(request, metafunc.config)
        checks = _open(request, strict or metafunc.config.getoption("instep_strict"))
    except Exception as error:
        _refuse(error)
    metafunc.parametrize("check", checks, ids=[check.id for check in checks])


def _under_suite(request: Request, config: pytest.Config) -> Request:
    """The request with the suite of the run, unless it names one of its own."""
    from dataclasses import replace

    from instep.conformance.configuration import configured_suite

    suite = config.getoption("instep_suite") or configured_suite(config.rootpath)
    return replace(request, keywords={"suite": suite, **request.keywords})


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """A decorated test that never calls `check` has tested nothing."""
    outcome = yield
    check = _check_of(pyfuncitem)
    if check is not None and not check.called:
        pytest.fail(f"{pyfuncitem.originalname} never called check()", pytrace=False)
    return outcome


# ---- how it went


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    """Show the report's block for a failed check, and keep what did not decide for the summary."""
    report = yield
    check = _check_of(item)
    if check is None or check.result is None or call.when != "call":
        return report
    if item.config.getoption("instep_report"):
        from instep.conformance import collecting

        setattr(report, collecting.ATTRIBUTE, collecting.part(item, check))
    from instep.conformance.decorator import CheckFailedError

    if call.excinfo is not None and isinstance(call.excinfo.value, CheckFailedError):
        report.longrepr = str(call.excinfo.value).rstrip("\n")
    elif report.skipped and not hasattr(report, "wasxfail"):
        report.longrepr = (check.id, None, f"Skipped: {check.reason}")
    elif report.passed and check.undecided:
        report.user_properties.append((PROPERTY, check.block()))
    return report


def _check_of(item: pytest.Item) -> Any:
    """The check of an item, None for items that are not ours."""
    if isinstance(item, Check):
        return item.check
    if isinstance(item, pytest.Function) and hasattr(item.function, MARK):
        return item.funcargs.get("check")
    return None


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Failures that do not decide: the items passed, and these blocks say what is wrong."""
    reports = terminalreporter.stats.get("passed", [])
    blocks = [text for r in reports for name, text in r.user_properties if name == PROPERTY]
    if blocks:
        terminalreporter.section("instep: failures that do not decide (--instep-strict)")
        terminalreporter.write_line("\n".join(blocks).rstrip("\n"))
