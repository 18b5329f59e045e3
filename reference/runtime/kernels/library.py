"""Kernels as functions: built or found once, loaded once, then called by their addresses."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import torch

from instep.reference.runtime.kernels import cache
from instep.reference.runtime.kernels.compiler import FLAGS, find_compiler, loaded_openmp, processor
from instep.reference.runtime.kernels.errors import KernelUnavailableError

# How lanes.h calls the types that tensors may have.
STORED = {torch.float64: 64, torch.float32: 32, torch.bfloat16: 16, torch.float16: 15}
_HEADERS = ("lanes.h", "launch.h")


@dataclass(frozen=True, slots=True)
class Kernel:
    """The kernel of a class: its file, and the keys of the states that it takes, in order.

    Attributes:
        name: of the file in `reference/kernels`, without its ending.
        states: keys, in the order of the file.
        reduced: those among them that hold one number for each tensor.
        text: the file's content where it was never written, for a class that was not either.
    """

    name: str
    states: tuple[str, ...] = ()
    reduced: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Library:
    """The functions of launch.h; their arguments are numbers and addresses, in its order."""

    step: Callable[..., int]
    read: Callable[..., int]
    write: Callable[..., None]


_loaded: dict[tuple[Kernel, int, tuple[str, ...]], Library | KernelUnavailableError] = {}
_lock = threading.Lock()


def load(kernel: Kernel, dtype: torch.dtype, switches: Mapping[str, bool]) -> Library:
    """The kernel of a class, for one type and one setting of its switches.

    Args:
        kernel: which.
        dtype: of all its tensors.
        switches: by name in the file.

    Raises:
        KernelUnavailableError: there is none, for the reason that the first call found.
    """
    on = tuple(sorted(s for s, value in switches.items() if value))
    wanted = (kernel, STORED[dtype], on)
    with _lock:
        if wanted not in _loaded:
            try:
                _loaded[wanted] = _load(kernel, STORED[dtype], switches)
            except KernelUnavailableError as error:
                _loaded[wanted] = error
    found = _loaded[wanted]
    if isinstance(found, KernelUnavailableError):
        raise found
    return found


def forget() -> None:
    """Load everything anew at its next use, as a fresh process would."""
    with _lock:
        _loaded.clear()
    find_compiler.cache_clear()


def _load(kernel: Kernel, stored: int, switches: Mapping[str, bool]) -> Library:
    compiler, where = find_compiler(), cache.folder()
    defines = [f"STORED={stored}", *(f"{s}={int(v)}" for s, v in sorted(switches.items()))]
    runtime = files("instep.reference.runtime.kernels")
    text = kernel.text or (files("instep.reference.kernels") / f"{kernel.name}.c").read_text()
    texts = [text, *((runtime / h).read_text() for h in _HEADERS)]
    made_from = [*compiler.command, compiler.version, processor(), str(loaded_openmp()), *FLAGS]
    path = where / f"{kernel.name}-{cache.key([*made_from, *defines, *texts])}.so"

    def build(out: Path) -> None:
        source = out.with_suffix(".c")
        source.write_text(text)
        with as_file(runtime) as include:
            compiler.build(source, defines, include, out)

    return _library(cache.fetch(path, build))


def _library(path: Path) -> Library:
    count, address, wide, number = (
        ctypes.c_long,
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.c_double,
    )
    try:
        found = ctypes.CDLL(str(path))
        step, read, write = found.instep_step, found.instep_read, found.instep_write
    except (OSError, AttributeError) as error:
        raise KernelUnavailableError(f"cannot load {path}: {error}") from error
    step.argtypes = [count, *[address] * 4, count, address, address, count]
    read.argtypes = [count, address, count, count, wide, address]
    write.argtypes = [count, address, count, count, wide, number]
    step.restype, read.restype, write.restype = ctypes.c_int, ctypes.c_int, None
    return Library(step, read, write)
