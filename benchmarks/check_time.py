"""How long `instep check torch.optim:AdamW --spec adamw` takes at each level, imports included.

Beside it, in turn, what nobody can save: importing torch and sympy and constructing one optimizer.
Processor time is that of all threads; other processes disturb it less than wall time.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence

import _measure as measure

# Level, runs, and how many seconds it may take.
LEVELS = (("quick", 5, 8.0), ("full", 3, 30.0))
ALONE = "import torch, sympy; torch.optim.AdamW([torch.nn.Parameter(torch.zeros(3))])"


def main() -> None:
    """Print wall and processor time."""
    measure.require(measure.python(*measure.CHECK), "instep check")  # writes what is cached
    print(f"instep check torch.optim:AdamW --spec adamw, {os.cpu_count()} cores")
    for level, runs, limit in LEVELS:
        whole, alone = [], []
        for _ in range(runs):
            # At level full torch's own findings make it leave with 1.
            whole.append(measure.python(*measure.CHECK, "--level", level))
            alone.append(measure.require(measure.python("-c", ALONE), "import torch, sympy"))
        print(f"level {level}")
        wall = report("wall", [run.seconds for run in whole], [run.seconds for run in alone])
        report("processor", [run.processor for run in whole], [run.processor for run in alone])
        print(f"  {measure.verdict(wall, limit, 's')} of wall time")


def report(kind: str, whole: Sequence[float], alone: Sequence[float]) -> float:
    """Print one kind of time and the ratio of the medians; returns the median of the whole."""
    middle = statistics.median(whole)
    print(f"  {kind:<10} check           {measure.spread(whole, 's')}")
    print(f"  {'':<10} imports alone   {measure.spread(alone, 's')}")
    print(f"  {'':<10} ratio           {middle / statistics.median(alone):.2f}")
    return middle


if __name__ == "__main__":
    main()
