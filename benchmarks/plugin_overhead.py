"""What the pytest plugin adds to a run that does not use it: one run with, one without, in turn.

Processor time stands beside wall time, because another process on the machine disturbs it less.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import _measure as measure

PAIRS = 15
LIMIT = 30.0
PYTEST = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
TEST = """
import sys

def test_nothing():
    assert not {"torch", "sympy"} & set(sys.modules)
"""


def main() -> None:
    """Print wall and processor time."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_nothing.py").write_text(TEST)
        run(folder)  # writes what is cached
        pairs = [(run(folder), run(folder, "-p", "no:instep")) for _ in range(PAIRS)]
    print("pytest on one empty test, which also asserts that torch and sympy are not imported")
    report("wall", [(w.seconds, o.seconds) for w, o in pairs])
    report("processor", [(w.processor, o.processor) for w, o in pairs])


def run(folder: str, *arguments: str) -> measure.Run:
    """One run of pytest in a folder."""
    return measure.require(measure.python(*PYTEST, *arguments, cwd=folder), "pytest")


def report(kind: str, pairs: Sequence[tuple[float, float]]) -> None:
    """Print with, without, and the median of the differences, in milliseconds."""
    with_it, without = ([1000 * seconds for seconds in side] for side in zip(*pairs, strict=True))
    added = [a - b for a, b in zip(with_it, without, strict=True)]
    over = measure.verdict(statistics.median(added), LIMIT, "ms")
    print(f"  {kind:<10} with      {measure.spread(with_it, 'ms', 0)}")
    print(f"  {'':<10} without   {measure.spread(without, 'ms', 0)}")
    print(f"  {'':<10} added     {measure.spread(added, 'ms', 0)}: {over}")


if __name__ == "__main__":
    main()
