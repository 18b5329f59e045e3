"""How long the whole test suite takes, run as `make test` runs it, and what it needs at most."""

from __future__ import annotations

from pathlib import Path

import _measure as measure

LIMIT = 600.0
ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Print wall time and peak memory of one process; one run, because it takes minutes."""
    done = measure.python("-m", "pytest", "-n", "2", "-q", cwd=str(ROOT))
    print("make test, in an environment that is installed already")
    print(f"  wall          {done.seconds:.0f} s: {measure.verdict(done.seconds, LIMIT, 's')}")
    print(f"  peak memory   {done.megabytes:.0f} MB in the largest process")
    if done.code:
        print(f"  exit code     {done.code}: some tests fail, so the time may be short")


if __name__ == "__main__":
    main()
