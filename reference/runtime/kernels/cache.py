"""Where built kernels are kept: one file for each, found by what it was built from.

A file ends with the digest of what stands before it, which loaders do not read: what was cut off or
changed is built anew instead of being run.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from instep.reference.runtime.kernels.errors import KernelUnavailableError

VARIABLE = "INSTEP_CACHE_DIR"
_DIGEST = 32
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def folder() -> Path:
    """The folder of this user's kernels, made where it is missing.

    Raises:
        KernelUnavailableError: it cannot be made, or others could put files there.
    """
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    given = os.environ.get(VARIABLE)
    path = Path(given) if given else Path(base) / "instep" / "kernels"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.stat()
    except OSError as error:
        raise KernelUnavailableError(f"the folder {path} cannot be used: {error}") from error
    if hasattr(os, "getuid") and (found.st_uid != os.getuid() or found.st_mode & _OTHERS):
        raise KernelUnavailableError(
            f"others can write to {path}, so what lies there is not to be run: "
            f"chmod go-w {path}, or set {VARIABLE}"
        )
    return path


def key(parts: Iterable[str]) -> str:
    """The name of what was built from these texts."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        digest.update(f"{len(encoded)}:".encode() + encoded)
    return digest.hexdigest()[:32]


def is_whole(path: Path) -> bool:
    """Whether a file is there and ends with the digest of the rest."""
    try:
        data = path.read_bytes()
    except OSError:
        return False
    return len(data) > _DIGEST and hashlib.sha256(data[:-_DIGEST]).digest() == data[-_DIGEST:]


def fetch(path: Path, build: Callable[[Path], None]) -> Path:
    """The file, built where it is missing or damaged; whole at any time for other processes.

    Raises:
        KernelUnavailableError: it cannot be built or written.
    """
    if is_whole(path):
        return path
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".building-") as made:
            fresh = Path(made) / path.name
            build(fresh)
            data = fresh.read_bytes()
            fresh.write_bytes(data + hashlib.sha256(data).digest())
            fresh.replace(path)
    except OSError as error:
        raise KernelUnavailableError(f"cannot write {path}: {error}") from error
    return path
