"""How the time of a session grows with the number of checks: it should be linear.

Checks are drawn by chance, always the same ones, and every part runs in a session of its own, so
that what checks share is paid for each time. Processor time, a median of a few runs.
"""

from __future__ import annotations

import random
import statistics
import time

import torch

from instep.conformance.suite import Session

RUNS = 5
PARTS = (1 / 8, 1 / 4, 1 / 2, 1)
SUBJECT, SPEC = torch.optim.AdamW, "adamw"


def main() -> None:
    """Print seconds by number of checks, and what one more check costs between the rows."""
    torch.set_num_threads(1)
    names = list(Session(SUBJECT, SPEC, level="full", implementations=False).checks)
    random.Random(0).shuffle(names)
    measured(names[:1])  # what is imported and remembered once
    print(f"checks of {SPEC} at level full, in processor time: {len(names)} in all")
    print(f"  {'checks':>6}  {'seconds':>8}  {'ms per check':>12}  {'ms per further check':>20}")
    before = (0, 0.0)
    for part in PARTS:
        count = round(part * len(names))
        seconds = statistics.median(measured(names[:count]) for _ in range(RUNS))
        further = (seconds - before[1]) / (count - before[0])
        print(
            f"  {count:>6}  {seconds:>8.2f}  {1e3 * seconds / count:>12.1f}  {1e3 * further:>20.1f}"
        )
        before = (count, seconds)


def measured(names: list[str]) -> float:
    """Processor seconds of these checks in a new session."""
    started = time.process_time()
    session = Session(SUBJECT, SPEC, level="full", implementations=False)
    for name in names:
        session.run(name)
    return time.process_time() - started


if __name__ == "__main__":
    main()
