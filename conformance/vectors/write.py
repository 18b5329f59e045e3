"""A folder of vectors, and its manifest: what is in it, what was left out, and why."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from instep import spec as specs
from instep.conformance.errors import UsageError
from instep.conformance.vectors.cases import Case, cases, reason_against
from instep.conformance.vectors.document import document, profile_of, text
from instep.conformance.vectors.expected import Expected, expected
from instep.spec.model import Algorithm

FORMAT = "instep-vectors-manifest@1"
MANIFEST = "manifest.json"


def write_vectors(names: Iterable[str | Algorithm], folder: str | Path) -> dict[str, Any]:
    """Write test vectors, a file for each case of each dialect, and return their manifest.

    The same names give the same bytes, in whatever order and process.

    Args:
        names: specifications; a name without a dialect stands for all its dialects.
        folder: a new or an empty one.

    Raises:
        UsageError: the folder cannot be used.
        SpecError: there is no such specification.
    """
    chosen = _chosen(names)
    target = _empty(Path(folder))
    files, left_out = [], []
    for algorithm in chosen:
        reason = reason_against(algorithm)
        if reason:
            left_out.append({"dialect": algorithm.full_name, "case": "", "reason": reason})
            continue
        for case in cases(algorithm):
            found = expected(algorithm, case.probe, profile_of(case.probe.dtype))
            if not found.sharp:
                left_out.append(_blind(algorithm, case))
            else:
                files.append(_write(target, algorithm, case, found))
    manifest = _manifest(files, left_out)
    _save(target / MANIFEST, json.dumps(manifest, indent=1) + "\n")
    return manifest


def _chosen(names: Iterable[str | Algorithm]) -> list[Algorithm]:
    """Each dialect once, by name."""
    found: dict[str, Algorithm] = {}
    for name in names:
        algorithm = specs.get(name)
        bare = isinstance(name, str) and name == algorithm.name
        meant = [specs.get(d.name) for d in specs.meanings(algorithm)] if bare else []
        for one in meant or [algorithm]:
            found[one.full_name] = one
    return [found[name] for name in sorted(found)]


def _empty(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError(
                f"{folder} is not empty: vectors are written into a folder of their own"
            )
    except OSError as error:
        raise UsageError(f"cannot write into {folder}: {error.strerror}") from error
    return folder


def _blind(algorithm: Algorithm, case: Case) -> dict[str, str]:
    reason = "the bounds are wider than an eighth of what any step changes"
    named = f"{case.name}.{case.probe.dtype}"
    return {"dialect": algorithm.full_name, "case": named, "reason": reason}


def _write(folder: Path, algorithm: Algorithm, case: Case, found: Expected) -> dict[str, Any]:
    dtype = case.probe.dtype
    path = Path(_slug(algorithm.full_name)) / f"{case.name}.{dtype}.json"
    written = text(document(algorithm, case, found))
    (folder / path.parent).mkdir(exist_ok=True)
    _save(folder / path, written)
    return {
        "path": path.as_posix(),
        "sha256": hashlib.sha256(written.encode()).hexdigest(),
        "spec": algorithm.identifier,
        "dialect": algorithm.full_name,
        "case": case.name,
        "dtype": dtype,
        "steps": case.probe.steps,
        "lanes": found.lanes,
        "boundless": found.boundless,
        "open": found.open_lanes,
    }


def _slug(name: str) -> str:
    """A dialect's name as one of a folder: `lookahead.calls_adamw` of `lookahead/calls(adamw)`."""
    return re.sub(r"[(,]", "_", name.replace("/", ".").replace(")", "").replace(" ", ""))


def _save(path: Path, content: str) -> None:
    try:
        path.write_text(content, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error


def _manifest(files: list[dict[str, Any]], left_out: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "instep": _own_version(),
        "counts": {
            "files": len(files),
            "dialects": len({f["dialect"] for f in files}),
            **{
                name: sum(f[name] for f in files)
                for name in ("steps", "lanes", "boundless", "open")
            },
        },
        "files": files,
        "left_out": left_out,
    }


def _own_version() -> str:
    try:
        return version("instep")
    except PackageNotFoundError:
        return "unknown"
