"""Names to algorithms: ours, other distributions' (entry points), and files given by path."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil
import re
import traceback
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from instep.spec.errors import SpecError, UnknownSpecError
from instep.spec.model import Algorithm, Dialect

ENTRY_POINT_GROUP = "instep.specs"


def names() -> list[str]:
    """Public names of all known algorithms, sorted: `adam`, `adamw`, `amsgrad`, ..."""
    return sorted(_public())


def dialects() -> list[str]:
    """Names of all known dialects, sorted: `adam/eps-hat`, `adam/paper`, ..."""
    return sorted(d.name for algorithm in _catalogue().values() for d in algorithm.dialects)


def schedule_names() -> list[str]:
    """Public names of all known learning-rate schedules, sorted: `exponential-lr`, `step-lr`..."""
    return sorted({n for a in _schedules().values() for n, _ in _meanings(a)})


def meanings(algorithm: Algorithm) -> list[Dialect]:
    """The dialects of an algorithm's public name, also those that have equations of their own."""
    own = [d for d in algorithm.dialects if d.public_name == algorithm.name]
    known = {d.name for d in own}
    if algorithm.name not in _public() or _public()[algorithm.name][1] not in own:
        return own
    every = (d for a in _catalogue().values() for d in a.dialects)
    return own + [d for d in every if d.public_name == algorithm.name and d.name not in known]


def wrappers() -> list[str]:
    """Public names of all known wrappers, sorted; each takes another: `lookahead(sgd)`."""
    return sorted({n for a in _wrappers().values() for n, _ in _meanings(a)})


def get(name: str | Algorithm) -> Algorithm:
    """The algorithm of an expression.

    A public name (`adamw`), a dialect (`adamw/decay-after`), a file (`x.py`), or a wrapper around
    one of them (`lookahead(adamw)`, `lookahead/calls(clip-grad-norm(sgd))`); of schedules also two
    joined ones (`chained(linear-lr, step-lr)`, `sequential(linear-lr, cosine-annealing-lr)`).

    Raises:
        UnknownSpecError: no such name; the message gives the nearest ones.
        SpecError: the file does not validate, or the two cannot be composed; the message says why.
    """
    if isinstance(name, Algorithm):
        return name
    outer, inside, rest = name.strip().partition("(")
    if inside:
        if not rest.endswith(")"):
            raise UnknownSpecError(f"{name!r} lacks a closing parenthesis")
        return _composed(outer.strip(), rest.removesuffix(")"))
    algorithm = load(Path(name)) if name.endswith(".py") else _named(name)
    if algorithm.slots:
        raise SpecError(f"{name} wraps another algorithm: write {name}(adamw), for example")
    return algorithm


@cache
def _composed(outer: str, inner: str) -> Algorithm:
    from instep.spec.compose import compose
    from instep.spec.successions import COMBINATIONS

    if outer in COMBINATIONS:
        parts = _arguments(inner)
        if len(parts) != 2:
            raise SpecError(f"{outer}(...) joins two schedules, not {len(parts)}")
        return COMBINATIONS[outer](get(parts[0]), get(parts[1]))
    return compose(load(Path(outer)) if outer.endswith(".py") else _wrapper(outer), get(inner))


def _arguments(text: str) -> list[str]:
    """What stands between the commas outside of all parentheses."""
    parts, depth = [""], 0
    for letter in text:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [p.strip() for p in parts]


def _named(name: str) -> Algorithm:
    """The algorithm of a public name or a dialect."""
    found = _find(name) or _find_wrapper(name) or _find_in(name, _schedules())
    if found is None:
        raise UnknownSpecError(_unknown(name))
    return _bound(found)


def _bound(found: tuple[Algorithm, Dialect | None]) -> Algorithm:
    algorithm, dialect = found
    return algorithm if dialect is None else algorithm.bind(dialect)


def _wrapper(name: str) -> Algorithm:
    """The wrapper of a public name or a dialect, its slot still open."""
    found = _find_wrapper(name)
    if found is not None:
        return _bound(found)
    if _find(name) is not None:
        known = ", ".join(wrappers())
        raise SpecError(f"{name} has no place for another algorithm; those that have: {known}")
    raise UnknownSpecError(_unknown(name))


def load(path: Path) -> Algorithm:
    """The one algorithm that a specification file defines, through its first dialect.

    Raises:
        UnknownSpecError: there is no such file.
        SpecError: the file does not run, or defines no algorithm or several; one line says where.
    """
    from instep.spec import recording

    if not path.is_file():
        raise UnknownSpecError(f"there is no specification file {path}")
    before, file = len(recording.finished), path.absolute()
    _execute(path)
    # Specifications that the file imports are finished too, but were written elsewhere.
    drafts = [d for d in recording.finished[before:] if Path(d.path) == file]
    if not drafts:
        raise SpecError(f"{path} defines no algorithm; it needs one `with algorithm(...)`")
    if len(drafts) > 1:
        found = ", ".join(d.algorithm.name for d in drafts)
        raise SpecError(
            f"{path} defines {len(drafts)} algorithms ({found}); give each its own file"
        )
    algorithm = drafts[0].algorithm
    return algorithm.bind(algorithm.dialects[0]) if algorithm.dialects else algorithm


def _execute(path: Path) -> ModuleType:
    """Run a specification file as a module of its own; an error becomes one line with its place."""
    found = importlib.util.spec_from_file_location(f"_instep_spec_{path.stem}", path.absolute())
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    try:
        found.loader.exec_module(module)
    except SpecError:
        raise
    except Exception as error:
        text = error.msg if isinstance(error, SyntaxError) else str(error)
        first = (text.splitlines() or [""])[0]
        raise SpecError(f"{_place(path, error)}: {type(error).__name__}: {first}") from error
    return module


def _place(path: Path, error: Exception) -> str:
    """`file:line` of an error: where the file is malformed, or its line that was running."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        own = Path(error.filename) == path.absolute()
        return f"{path if own else error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == path.absolute()]
    return f"{path}:{lines[-1]}" if lines else str(path)


@cache
def _catalogue() -> dict[str, Algorithm]:
    """Complete algorithms by the name of their specification.

    Named compositions (Ranger) are among them, and transforms of the gradient by themselves.
    """
    from instep.spec.compose import close

    found = {a.name: a for a in _declared().values() if not a.slots and a.schedule is None}
    for wrapper in _wrappers().values():
        alone = close(wrapper)
        if alone is not None:
            found[alone.name] = alone
        for inner in dict.fromkeys(d.inner[0][1] for d in wrapper.dialects if d.inner):
            composed = _composition(wrapper, found, inner)
            found[f"{composed.name} around {inner}"] = composed
    return found


def _composition(wrapper: Algorithm, known: Mapping[str, Algorithm], inner: str) -> Algorithm:
    """The algorithm of the dialects that name what the wrapper wraps (Ranger)."""
    from instep.spec.compose import compose

    whole = compose(wrapper, _inside(known, inner))
    named = tuple(d for d in whole.dialects if "(" not in d.name)
    name = named[0].public_name
    return replace(whole, name=name, spec=wrapper.spec, dialects=named, unbound=None, dialect=None)


def _inside(known: Mapping[str, Algorithm], text: str) -> Algorithm:
    """What a dialect says that a wrapper holds: `radam`, or `centralize(radam)`."""
    from instep.spec.compose import compose

    outer, wraps, rest = text.partition("(")
    if not wraps:
        return _meaning(known, text)
    return compose(_wrapper(outer), _inside(known, rest.removesuffix(")")))


def _meaning(known: Mapping[str, Algorithm], name: str) -> Algorithm:
    for algorithm in known.values():
        for dialect in algorithm.dialects:
            if name in (dialect.name, dialect.public_name):
                return algorithm.bind(dialect)
        if name == algorithm.name:
            return algorithm
    raise SpecError(f"a dialect wraps {name!r}, and there is no such specification")


@cache
def _wrappers() -> dict[str, Algorithm]:
    """Algorithms with a slot, by name."""
    return {a.name: a for a in _declared().values() if a.slots}


def _schedules() -> dict[str, Algorithm]:
    """Learning-rate schedules, by name."""
    return {a.name: a for a in _declared().values() if a.schedule is not None}


@cache
def _declared() -> dict[str, Algorithm]:
    """Every specification by its name: our folders, then entry points."""
    from instep.spec import algorithms, schedules, transforms

    found: dict[str, Algorithm] = {}
    for package in (algorithms, transforms, schedules):
        for module in pkgutil.iter_modules(package.__path__):
            loaded = importlib.import_module(f"{package.__name__}.{module.name}")
            found[loaded.spec.algorithm.name] = loaded.spec.algorithm
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        # Somebody else's broken installation must not take down ours.
        try:
            algorithm = _from_entry_point(entry)
            _reject_taken_names(algorithm, found)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            text = f"skipped the specification {entry.name!r} ({entry.value}): {reason}"
            warnings.warn(text, RuntimeWarning, stacklevel=2)
        else:
            found[algorithm.name] = algorithm
    return found


def forget() -> None:
    """Look for specifications anew when next asked: distributions have come or gone."""
    for cached in (_composed, _catalogue, _wrappers, _declared, _public):
        cached.cache_clear()


def _from_entry_point(entry: EntryPoint) -> Algorithm:
    """The algorithm of `package.module:spec`, or of a module that calls it `spec`."""
    from instep.spec.recording import Draft

    loaded = entry.load()
    draft = getattr(loaded, "spec", None) if isinstance(loaded, ModuleType) else loaded
    algorithm = draft.algorithm if isinstance(draft, Draft) else draft
    if not isinstance(algorithm, Algorithm):
        kind = type(draft).__name__
        raise SpecError(f"it must name what `with algorithm(...) as spec` binds, not a {kind}")
    return algorithm


def _reject_taken_names(algorithm: Algorithm, found: dict[str, Algorithm]) -> None:
    taken = {name for other in found.values() for name in _names_of(other)}
    for name in _names_of(algorithm):
        if name in taken:
            raise SpecError(f"the name {name} is taken already")


def _names_of(algorithm: Algorithm) -> Iterator[str]:
    yield algorithm.name
    yield from dict.fromkeys(d.public_name for d in algorithm.dialects)


@cache
def _public() -> dict[str, tuple[Algorithm, Dialect | None]]:
    """Public names; the first dialect of a name is its default."""
    out: dict[str, tuple[Algorithm, Dialect | None]] = {}
    for algorithm in _catalogue().values():
        for name, dialect in _meanings(algorithm):
            out.setdefault(name, (algorithm, dialect))
    return out


def _meanings(algorithm: Algorithm) -> Iterator[tuple[str, Dialect | None]]:
    """Public names and what they mean, those of named compositions left out."""
    yield from ((d.public_name, d) for d in algorithm.dialects if not d.inner)
    if not algorithm.dialects:
        yield algorithm.name, None


def _find(name: str) -> tuple[Algorithm, Dialect | None] | None:
    everything_is_loaded = _catalogue.cache_info().currsize > 0
    found = None if everything_is_loaded else _find_early(name)
    if found is not None:
        return found
    if name in _public():
        return _public()[name]
    return _with_dialect(name, _catalogue())


def _find_early(name: str) -> tuple[Algorithm, Dialect | None] | None:
    """A name that one of our own algorithms defines, of which only those that mention it are run.

    A specification takes long to validate, and most callers want one. Files are asked in the order
    of the catalogue, so what is found is what the whole catalogue says.
    """
    from instep.spec import algorithms

    public = name.partition("/")[0]
    mentions = (f'"{public}"'.encode(), f'"{public}/'.encode())
    for module in pkgutil.iter_modules(algorithms.__path__):
        text = pkgutil.get_data(algorithms.__name__, f"{module.name}.py") or b""
        if any(mention in text for mention in mentions):
            loaded = importlib.import_module(f"{algorithms.__name__}.{module.name}")
            own = loaded.spec.algorithm
            if not own.slots and own.schedule is None:
                found = _find_in(name, {own.name: own})
                if found is not None:
                    return found
    return None


def _find_wrapper(name: str) -> tuple[Algorithm, Dialect | None] | None:
    return _find_in(name, _wrappers())


def _find_in(name: str, among: Mapping[str, Algorithm]) -> tuple[Algorithm, Dialect | None] | None:
    for algorithm in among.values():
        for public, dialect in _meanings(algorithm):
            if public == name:
                return algorithm, dialect
    return _with_dialect(name, among)


def _with_dialect(
    name: str, among: Mapping[str, Algorithm]
) -> tuple[Algorithm, Dialect | None] | None:
    for algorithm in among.values():
        for dialect in algorithm.dialects:
            if dialect.name == name and not dialect.inner:
                return algorithm, dialect
    return None


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(
        name.lower(), [*names(), *dialects(), *wrappers(), *schedule_names()], n=3, cutoff=0.4
    )
    if not near and not re.fullmatch(r"[a-z0-9._/-]+", name):
        return f"{name!r} is no name of a specification: names look like adamw or adamw/decay-after"
    hint = f"nearest: {', '.join(near)}" if near else f"known: {', '.join(names())}"
    return f"there is no specification {name!r}; {hint} (`instep list` prints all)"
