"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import click

from instep.conformance.configuration import LEVELS, Settings, configured
from instep.conformance.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])

_CONFIGURATION = (
    click.option(
        "--set", "assigned", metavar="K=V", multiple=True,
        help="Constructor keyword, in the subject's name: --set 'betas=(0.9, 0.95)'.",
    ),
    click.option("--fixed", metavar="K", multiple=True, help="Keyword that must not be varied."),
    click.option("--rename", metavar="A=B", multiple=True, help="The spec's A is called B."),
)  # fmt: skip
_CHECK = (
    click.option("--spec", metavar="S", help="Specification: a name, a dialect, or a file."),
    click.option("--state", metavar="A=B", multiple=True, help="Spec's state A is kept in B."),
    click.option("--dialect", metavar="D", help="Dialect of the spec, or any."),
    click.option("--profile", metavar="A=B", multiple=True,
                 help="Type T in which state is kept: state=T."),
    click.option("--level", type=click.Choice(LEVELS), help="quick (default) or full."),
    click.option("--suite", metavar="S", help="Checks as they were frozen: 2026.1, or latest."),
    click.option("--lacks", metavar="X", multiple=True, help="Ability the subject says it lacks."),
    click.option(
        "--implementations/--no-implementations", default=None,
        help="Also judge foreach, fused and the like; on at level full.",
    ),
    click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="S",
                 help="Seconds that one check may take."),
)  # fmt: skip


def subject_options(function: F) -> F:
    """Add the options that say how a subject is checked."""
    for option in reversed((_CHECK[0], *_CONFIGURATION, *_CHECK[1:])):
        function = option(function)
    return function


def configuration_options(function: F) -> F:
    """Add the options that say how a subject is constructed."""
    for option in reversed(_CONFIGURATION):
        function = option(function)
    return function


def settings(target: str, given: Mapping[str, Any], *, spec_needed: bool = True) -> Settings:
    """The configuration file's settings for a subject, under what the command line says."""
    plain = ("spec", "fixed", "dialect", "level", "suite", "lacks", "implementations", "timeout")
    found = configured(target).overridden(
        hyperparameters={k: literal(v) for k, v in pairs(given["assigned"], "--set").items()},
        rename=pairs(given["rename"], "--rename"),
        state=pairs(given.get("state", ()), "--state"),
        profile=pairs(given.get("profile", ()), "--profile"),
        **{name: given.get(name) for name in plain},
    )
    if spec_needed and not found.spec:
        raise UsageError("which specification? Give --spec; `instep list` prints the names")
    return found


def invocation(target: str, given: Mapping[str, Any]) -> str:
    """The same options as the text that another command takes: `--subject m:A --spec adamw ...`."""
    words = ["--subject", target]
    flags = {"assigned": "--set"}
    for name, value in given.items():
        flag = flags.get(name, f"--{name}")
        if isinstance(value, bool):
            words.append(flag if value else f"--no-{name}")
        elif isinstance(value, tuple):
            words.extend(word for one in value for word in (flag, one))
        elif value is not None:
            words.extend([flag, str(value)])
    return shlex.join(words)


def pairs(words: Iterable[str], option: str) -> dict[str, str]:
    """`a=b` words as a mapping; raises UsageError for other words and names given twice."""
    out: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not name.strip() or not equals:
            raise UsageError(f"{option} takes name=value, not {word!r}")
        if name.strip() in out:
            raise UsageError(f"{option} {name.strip()} is given twice")
        out[name.strip()] = value.strip()
    return out


def literal(text: str) -> Any:
    """The Python literal that the text is (`1e-3`, `(0.9, 0.95)`, `True`), else the text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
