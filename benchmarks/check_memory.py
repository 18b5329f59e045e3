"""Peak resident memory of `instep check torch.optim:AdamW --spec adamw`, and of its imports."""

from __future__ import annotations

import statistics

import _measure as measure

RUNS = 3
LIMIT = 1000.0


def main() -> None:
    """Print both medians."""
    checks = [measure.require(measure.python(*measure.CHECK), "instep check") for _ in range(RUNS)]
    alone = [measure.python("-c", "import torch, sympy") for _ in range(RUNS)]
    whole = [run.megabytes for run in checks]
    over = measure.verdict(statistics.median(whole), LIMIT, "MB")
    print("peak resident memory")
    print(f"  instep check    {measure.spread(whole, 'MB', 0)}: {over}")
    print(f"  imports alone   {measure.spread([run.megabytes for run in alone], 'MB', 0)}")


if __name__ == "__main__":
    main()
