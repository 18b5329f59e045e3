"""What the figures share: run a command, and say what it took."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass

CHECK = ["-m", "instep.conformance.cli", "check", "torch.optim:AdamW", "--spec", "adamw"]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command: wall and processor seconds, peak resident memory in MB, exit code."""

    seconds: float
    processor: float
    megabytes: float
    code: int


def python(*arguments: str, cwd: str | None = None) -> Run:
    """Run this interpreter with arguments, its output thrown away, and wait for it."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=cwd, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    unit = 2**20 if sys.platform == "darwin" else 2**10  # of ru_maxrss: bytes there, KiB elsewhere
    processor = usage.ru_utime + usage.ru_stime
    return Run(seconds, processor, usage.ru_maxrss * unit / 1e6, process.returncode)


def spread(values: Sequence[float], unit: str, digits: int = 2) -> str:
    """`2.71 s (2.65 to 2.90, 5 runs)`: median and range."""
    middle, low, high = statistics.median(values), min(values), max(values)
    text = f"{middle:.{digits}f} {unit} ({low:.{digits}f} to {high:.{digits}f}"
    return f"{text}, {len(values)} runs)"


def require(run: Run, what: str) -> Run:
    """A figure of a command that failed means nothing: leave."""
    if run.code:
        sys.exit(f"{what} left with exit code {run.code}: no figure")
    return run


def verdict(figure: float, limit: float, unit: str) -> str:
    """`within 5 s` or `OVER 5 s`."""
    return f"{'within' if figure <= limit else 'OVER'} {limit:g} {unit}"
