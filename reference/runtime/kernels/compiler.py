"""The system's C compiler, and how it is called."""

from __future__ import annotations

import functools
import os
import platform
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from instep.reference.runtime.kernels.errors import KernelUnavailableError

# Without -fno-math-errno a square root is a call; with any other part of -ffast-math, or with
# contraction, lanes would no longer be what the equations say.
FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-ffp-contract=off", "-std=gnu11", "-fPIC")
# Tried in this order: a compiler may lack OpenMP, or its headers.
_THREADS = (("-fopenmp",), ("-fopenmp-simd",), ())
_CANDIDATES = ("cc", "gcc", "clang")
_PLAIN_RUNTIME = "libgomp.so.1"


@dataclass(frozen=True, slots=True)
class Compiler:
    """A compiler that was found.

    Attributes:
        command: what starts it; $CC may bring flags of its own.
        version: what it says of itself.
    """

    command: tuple[str, ...]
    version: str

    def build(self, source: Path, defines: Sequence[str], include: Path, out: Path) -> None:
        """Compile one file to a shared library.

        Raises:
            KernelUnavailableError: it cannot, whether with OpenMP or without; says what it said.
        """
        given = [*FLAGS, *(f"-D{d}" for d in defines), f"-I{include}"]
        said = ""
        for threads in _THREADS:
            said = self._library([*given, *threads], source, out, threads == ("-fopenmp",))
            if not said:
                return
        raise KernelUnavailableError(f"{shlex.join(self.command)} fails: {_first_error(said)}")

    def _library(self, flags: Sequence[str], source: Path, out: Path, openmp: bool) -> str:
        """What the compiler says when it fails; nothing when it does not."""
        runtime = loaded_openmp() if openmp else None
        if runtime is None or runtime.name == _PLAIN_RUNTIME:
            return self._run([*flags, "-shared", str(source), "-o", str(out), "-lm"])
        # Two OpenMP runtimes in one process would fight for its cores: this one is torch's.
        unlinked = out.with_suffix(".o")
        said = self._run([*flags, "-c", str(source), "-o", str(unlinked)])
        return said or self._run(["-shared", str(unlinked), str(runtime), "-o", str(out), "-lm"])

    def _run(self, arguments: Sequence[str]) -> str:
        command = [*self.command, *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        except (OSError, subprocess.SubprocessError) as error:
            return str(error)
        return (done.stderr.strip() or f"exit status {done.returncode}") if done.returncode else ""


def _first_error(said: str) -> str:
    lines = said.splitlines()
    return next((line for line in lines if "error" in line), lines[0])


@functools.cache
def find_compiler() -> Compiler:
    """The compiler of $CC, or the first of cc, gcc and clang that there is.

    Raises:
        KernelUnavailableError: there is none.
    """
    given = os.environ.get("CC", "")
    candidates = [tuple(shlex.split(given))] if given else [(name,) for name in _CANDIDATES]
    for command in candidates:
        if shutil.which(command[0]) is None:
            continue
        return Compiler(command, _version(command))
    where = f"CC={given}" if given else ", ".join(_CANDIDATES)
    raise KernelUnavailableError(f"there is no C compiler ({where})")


def _version(command: tuple[str, ...]) -> str:
    try:
        said = subprocess.run(
            [*command, "--version"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise KernelUnavailableError(f"{shlex.join(command)} does not run: {error}") from error
    return said.stdout.strip()


@functools.cache
def processor() -> str:
    """What -march=native depends on: the processor's features."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    told = ("flags", "Features", "model name", "cpu family", "model")
    first = {line.split(":")[0].strip(): line for line in reversed(lines) if ":" in line}
    return "\n".join(first[key] for key in told if key in first) + platform.machine()


def loaded_openmp() -> Path | None:
    """The file of the OpenMP runtime that torch has brought into this process, if it is known.

    Other packages bring their own under names of their own: torch's lies beside torch.
    """
    try:
        lines = Path("/proc/self/maps").read_text().splitlines()
    except OSError:
        return None
    fields = (line.split(maxsplit=5) for line in lines)
    files = dict.fromkeys(Path(f[5]) for f in fields if len(f) == 6)
    runtimes = [f for f in files if f.name.startswith(("libgomp", "libomp", "libiomp"))]
    packages = Path(torch.__file__).parents[1]
    beside = (packages / "torch", packages / "torch.libs")
    own = (f for f in runtimes if any(f.is_relative_to(folder) for folder in beside))
    return next(own, runtimes[0] if runtimes else None)
