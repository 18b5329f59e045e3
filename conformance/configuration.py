"""What is checked and how: the arguments of `check`, and `[tool.instep]` of a pyproject.toml.

Example::

    [tool.instep]
    suite = "2026.1"

    [tool.instep.subjects."mylib:AdamW"]
    spec = "adamw"
    hyperparameters = { lr = 1e-3, betas = [0.9, 0.95] }
    floor = 40

    [tool.instep.subjects."mylib:AdamW".expected-failures]
    "adamw/groups/own-values" = "issue 12"
    "adamw/state/resume" = { reason = "kept apart", issue = "#12", expires = 2027-01-31 }
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from instep.conformance.errors import UsageError

LEVELS = ("quick", "full")
# Equal to suites.LATEST, which importing would bring sympy with it.
LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Settings:
    """The arguments of `check` besides the subject, and the fewest checks that make a verdict."""

    spec: str = ""
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    fixed: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    state: Mapping[str, str] = field(default_factory=dict)
    dialect: str | None = None
    profile: Mapping[str, str] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()
    level: str = "quick"
    suite: str = LATEST
    implementations: bool | None = None
    expected_failures: Mapping[str, Any] = field(default_factory=dict)
    timeout: float = 60.0
    floor: int = 1

    def keywords(self) -> dict[str, Any]:
        """Keywords of `check` and `Session`."""
        ours = {"spec", "floor"}
        given = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ours}
        return given | {"state": self.state or None, "profile": self.profile or None}

    def overridden(self, **changes: Any) -> Settings:
        """The same with what a command line says: mappings grow, everything else is replaced.

        None and empty values were not given.
        """
        given = {key: value for key, value in changes.items() if value not in (None, (), {}, "")}
        for key, value in given.items():
            if isinstance(value, Mapping):
                given[key] = {**getattr(self, key), **value}
        return replace(self, **given)


def configured(target: str, start: Path | None = None) -> Settings:
    """What the nearest pyproject.toml at or above a folder says about a subject; else the defaults.

    Raises:
        UsageError: the file cannot be read, or a key in it is unknown or of the wrong type.
    """
    path = _nearest(start or Path.cwd())
    if path is None:
        return Settings()
    where = f"{path}: [tool.instep]"
    ours = _tool(path)
    subjects = _table(ours, "subjects", where)
    suite = _suite(ours, where)
    if target not in subjects:
        return Settings(suite=suite)
    where = f'{path}: [tool.instep.subjects."{target}"]'
    return _settings({"suite": suite, **_table(subjects, target, where)}, where)


def configured_suite(start: Path) -> str:
    """The suite of all subjects, by the nearest pyproject.toml; `latest` if it names none."""
    path = _nearest(start)
    return LATEST if path is None else _suite(_tool(path), f"{path}: [tool.instep]")


def _suite(ours: Mapping[str, Any], where: str) -> str:
    suite = ours.get("suite", LATEST)
    if not isinstance(suite, str):
        raise UsageError(f'{where}: suite = {suite!r} is no name: write it as "{suite}"')
    return suite


def _nearest(start: Path) -> Path | None:
    folders = [start, *start.parents]
    return next((p for p in (f / "pyproject.toml" for f in folders) if p.is_file()), None)


def _tool(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    ours = table.get("tool", {}).get("instep", {})
    if not isinstance(ours, dict):
        raise UsageError(f"{path}: tool.instep is no table")
    _known(ours, ("subjects", "suite"), f"{path}: [tool.instep]")
    return ours


def _table(table: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    inner = table.get(key, {})
    if not isinstance(inner, dict):
        raise UsageError(f"{where}: {key} is no table")
    return inner


def _settings(table: Mapping[str, Any], where: str) -> Settings:
    known = {f.name.replace("_", "-"): f for f in fields(Settings)}
    _known(table, known, where)
    given = {}
    for key, value in table.items():
        kind = str(known[key].type)
        if not _fits(kind, value):
            raise UsageError(f"{where}: {key} = {value!r} is no {kind.split('[')[0]}")
        given[known[key].name] = _frozen(value)
    settings = Settings(**given)
    _reasons(settings.expected_failures, where)
    if settings.level not in LEVELS:
        raise UsageError(f"{where}: level is one of {', '.join(LEVELS)}, not {settings.level}")
    return settings


def _reasons(expected: Mapping[str, Any], where: str) -> None:
    """Refuse expectations that are none where they stand, not where they are used."""
    if not expected:
        return
    from instep.conformance.expectations import expectation

    for id, value in expected.items():
        try:
            expectation(id, value)
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from None


def _known(table: Iterable[str], known: Iterable[str], where: str) -> None:
    names = sorted(known)
    for key in table:
        if key not in names:
            near = difflib.get_close_matches(key, names, n=1) or names
            raise UsageError(f"{where}: unknown key {key}; nearest: {', '.join(near)}")


def _fits(kind: str, value: Any) -> bool:
    """Whether a TOML value has the type that a field declares."""
    match kind.split("[")[0].split(" ")[0]:
        case "Mapping":
            strings = kind.endswith("str]")
            return isinstance(value, dict) and (
                not strings or all(isinstance(inner, str) for inner in value.values())
            )
        case "tuple":
            return isinstance(value, list) and all(isinstance(inner, str) for inner in value)
        case "bool":
            return isinstance(value, bool)
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float":
            return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str)


def _frozen(value: Any) -> Any:
    """TOML has lists only; betas are a tuple."""
    match value:
        case list():
            return tuple(map(_frozen, value))
        case dict():
            return {key: _frozen(inner) for key, inner in value.items()}
    return value
