"""How long `instep check torch.optim:AdamW --spec adamw` takes, imports included.

Beside it, in turn, what nobody can save: importing torch and sympy and constructing one optimizer.
"""

from __future__ import annotations

import os
import statistics

import _measure as measure

RUNS = 5
LIMIT = 5.0
ALONE = "import torch, sympy; torch.optim.AdamW([torch.nn.Parameter(torch.zeros(3))])"


def main() -> None:
    """Print both medians and their ratio."""
    measure.require(measure.python(*measure.CHECK), "instep check")  # writes what is cached
    whole, alone = [], []
    for _ in range(RUNS):
        whole.append(measure.require(measure.python(*measure.CHECK), "instep check").seconds)
        alone.append(measure.require(measure.python("-c", ALONE), "import torch, sympy").seconds)
    middle = statistics.median(whole)
    print(f"instep check torch.optim:AdamW --spec adamw, quick level, {os.cpu_count()} cores")
    print(f"  wall            {measure.spread(whole, 's')}: {measure.verdict(middle, LIMIT, 's')}")
    print(f"  imports alone   {measure.spread(alone, 's')}")
    print(f"  ratio           {middle / statistics.median(alone):.2f}")


if __name__ == "__main__":
    main()
