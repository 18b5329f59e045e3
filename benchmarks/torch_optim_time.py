"""How long all of torch.optim takes under pytest with two processes, at each level.

What torch gets wrong fails here as it does in anybody's run; the count is printed.
"""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import tempfile
import time

import _measure as measure
import torch

from instep import spec

LIMIT = 300.0
NAMES = set(spec.names())


def main() -> None:
    """Print wall time and what pytest counted, one run for each level."""
    known = [n for n, c in inspect.getmembers(torch.optim, inspect.isclass) if n.lower() in NAMES]
    print(
        f"pytest -n 2 --instep with {len(known)} classes of torch.optim, torch {torch.__version__}"
    )
    for level in ("quick", "full"):
        started = time.perf_counter()
        counted = last_line(known, level)
        seconds = time.perf_counter() - started
        print(f"  {level:<6} {seconds:.0f} s: {measure.verdict(seconds, LIMIT, 's')} ({counted})")


def last_line(known: list[str], level: str) -> str:
    """What pytest says in the end, without its time."""
    asked = [word for n in known for word in ("--instep", f"torch.optim:{n}={n.lower()}")]
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--instep-level", level, *asked]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(command, cwd=folder, text=True, capture_output=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"pytest left with exit code {done.returncode}: no figure\n{done.stdout[-2000:]}")
    return re.sub(r" in .*", "", done.stdout.strip().splitlines()[-1])


if __name__ == "__main__":
    main()
