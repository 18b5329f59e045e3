"""Names to algorithms: ours, other distributions' (entry points), and files given by path."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil
import re
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from instep.spec.errors import SpecError, UnknownSpecError
from instep.spec.model import Algorithm, Dialect

ENTRY_POINT_GROUP = "instep.specs"


def names() -> list[str]:
    """Public names of all known algorithms, sorted: `adam`, `adamw`, `amsgrad`, ..."""
    return sorted(_public())


def dialects() -> list[str]:
    """Names of all known dialects, sorted: `adam/eps-hat`, `adam/paper`, ..."""
    return sorted(d.name for algorithm in _catalogue().values() for d in algorithm.dialects)


def get(name: str | Algorithm) -> Algorithm:
    """The algorithm of a public name (`adamw`), a dialect (`adamw/decay-after`) or a file (`x.py`).

    Raises:
        UnknownSpecError: no such name; the message gives the nearest ones.
        SpecError: the file does not validate; the message gives file, equation and reason.
    """
    if isinstance(name, Algorithm):
        return name
    if name.endswith(".py") or Path(name).suffix == ".py":
        return load(Path(name))
    found = _find(name)
    if found is None:
        raise UnknownSpecError(_unknown(name))
    algorithm, dialect = found
    return algorithm if dialect is None else algorithm.bind(dialect)


def load(path: Path) -> Algorithm:
    """The one algorithm that a specification file defines, through its first dialect."""
    from instep.spec import recording

    if not path.is_file():
        raise UnknownSpecError(f"there is no specification file {path}")
    before = len(recording.finished)
    module = importlib.util.spec_from_file_location(f"_instep_spec_{path.stem}", path)
    assert module is not None
    assert module.loader is not None
    try:
        module.loader.exec_module(importlib.util.module_from_spec(module))
    except SpecError:
        raise
    except Exception as error:
        raise SpecError(f"{path}: {type(error).__name__}: {error}") from error
    new = recording.finished[before:]
    if len(new) != 1:
        raise SpecError(f"{path} defines {len(new)} algorithms; a specification file defines one")
    algorithm = new[0].algorithm
    return algorithm.bind(algorithm.dialects[0]) if algorithm.dialects else algorithm


@cache
def _catalogue() -> dict[str, Algorithm]:
    """Algorithms by the name of their specification: our folder, then entry points."""
    from instep.spec import algorithms

    modules = [f"{algorithms.__name__}.{m.name}" for m in pkgutil.iter_modules(algorithms.__path__)]
    specs = [importlib.import_module(name).spec.algorithm for name in modules]
    specs += [entry.load().algorithm for entry in entry_points(group=ENTRY_POINT_GROUP)]
    return {algorithm.name: algorithm for algorithm in specs}


@cache
def _public() -> dict[str, tuple[Algorithm, Dialect | None]]:
    """Public names; the first dialect of a name is its default."""
    out: dict[str, tuple[Algorithm, Dialect | None]] = {}
    for algorithm in _catalogue().values():
        for dialect in algorithm.dialects:
            out.setdefault(dialect.public_name, (algorithm, dialect))
        if not algorithm.dialects:
            out[algorithm.name] = (algorithm, None)
    return out


def _find(name: str) -> tuple[Algorithm, Dialect | None] | None:
    if name in _public():
        return _public()[name]
    for algorithm in _catalogue().values():
        for dialect in algorithm.dialects:
            if dialect.name == name:
                return algorithm, dialect
    return None


def _unknown(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9._/-]+", name):
        return f"{name!r} is no name of a specification: names look like adamw or adamw/decay-after"
    near = difflib.get_close_matches(name, [*names(), *dialects()], n=3, cutoff=0.4)
    hint = f"nearest: {', '.join(near)}" if near else f"known: {', '.join(names())}"
    return f"there is no specification {name!r}; {hint} (`instep list` prints all)"
