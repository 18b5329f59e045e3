"""How long a step takes: kernels beside torch's own forms, and beside a copy of memory.

    python benchmarks/kernels.py [--quick] [--threads N] [--plot kernels.png]

All forms of a row run in one process, in turns, on parameters of their own; each figure is the
median. The share of a copy is the time that torch's copy takes for as many bytes; it also reads the
lines that it overwrites, which a step in place has read already. `--quick` leaves out the largest
size.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from instep import reference

Shapes = Sequence[tuple[int, ...]]


def resnet50() -> Shapes:
    """Shapes of a ResNet-50's parameters: 161 tensors, 25.6 million numbers."""
    shapes: list[tuple[int, ...]] = [(64, 3, 7, 7), (64,), (64,)]
    wide = 64
    for blocks, narrow in ((3, 64), (4, 128), (6, 256), (3, 512)):
        for block in range(blocks):
            shapes += [(narrow, wide, 1, 1), (narrow,), (narrow,)]
            shapes += [(narrow, narrow, 3, 3), (narrow,), (narrow,)]
            shapes += [(4 * narrow, narrow, 1, 1), (4 * narrow,), (4 * narrow,)]
            if block == 0:
                shapes += [(4 * narrow, wide, 1, 1), (4 * narrow,), (4 * narrow,)]
            wide = 4 * narrow
    return [*shapes, (1000, 2048), (1000,)]


def gpt2() -> Shapes:
    """Shapes of the smallest GPT-2's parameters: 148 tensors, 124 million numbers."""
    n = 768
    block = [(n,), (n,), (n, 3 * n), (3 * n,), (n, n), (n,)]
    block += [(n,), (n,), (n, 4 * n), (4 * n,), (4 * n, n), (n,)]
    return [(50257, n), (1024, n), *(12 * block), (n,), (n,)]


SIZES: dict[str, Shapes] = {
    "200 x 64": [(64,)] * 200,
    "10000 x 64": [(64,)] * 10000,
    "ResNet-50": resnet50(),
    "GPT-2": gpt2(),
    "100M": [(10_000_000,)] * 10,
}


@dataclass(frozen=True, slots=True)
class Algorithm:
    """What is compared: keywords, arrays of its parameters' size that a step reads and writes."""

    name: str
    keywords: Mapping[str, Any]
    passes: int
    fused: bool = False


ALGORITHMS = (
    Algorithm("SGD", {"lr": 1e-3, "momentum": 0.9}, 5, fused=True),
    Algorithm("AdamW", {}, 7, fused=True),
    Algorithm("RAdam", {}, 7),
    Algorithm("NAdam", {}, 7),
    Algorithm("RMSprop", {}, 5),
)


def main() -> None:
    """Measure what is asked for, print the table, draw the plot."""
    arguments = parsed()
    torch.set_num_threads(arguments.threads)
    sizes = [n for n in SIZES if not (arguments.quick and n == "100M")]
    rows = [
        measured(algorithm, size)
        for algorithm, size in track(
            [(a, s) for a in ALGORITHMS for s in sizes], "kernels", console=Console(stderr=True)
        )
    ]
    print_table(rows)
    if arguments.plot:
        draw(rows, arguments.plot)


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="leave out the largest size")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--plot", type=Path, help="where to draw the ratios")
    return parser.parse_args()


@dataclass(frozen=True, slots=True)
class Row:
    """Milliseconds of a step by form, for one algorithm and size."""

    algorithm: str
    size: str
    times: Mapping[str, float]


def measured(algorithm: Algorithm, size: str) -> Row:
    """One row: every form steps in turns, for at least a second and five rounds."""
    forms = {"torch loop": {"foreach": False}, "torch foreach": {"foreach": True}}
    if algorithm.fused:
        forms["torch fused"] = {"fused": True}
    theirs, ours = getattr(torch.optim, algorithm.name), getattr(reference, algorithm.name)
    steps: dict[str, Callable[[], Any]] = {
        form: theirs(parameters(size), **algorithm.keywords, **flags).step
        for form, flags in forms.items()
    }
    steps["instep"] = ours(parameters(size), **algorithm.keywords).step
    steps["bytes alone"] = copying(size, algorithm.passes)
    return Row(algorithm.name, size, medians(steps))


def parameters(size: str) -> list[torch.Tensor]:
    """Parameters with gradients."""
    made = [torch.randn(shape).mul_(0.02).requires_grad_() for shape in SIZES[size]]
    for p in made:
        p.grad = torch.randn_like(p).mul_(1e-3)
    return made


def copying(size: str, passes: int) -> Callable[[], Any]:
    """A copy that moves as many bytes as a step does: half of them are read, half written."""
    numbers = sum(math.prod(shape) for shape in SIZES[size]) * passes / 2
    source, target = torch.ones(round(numbers)), torch.empty(round(numbers))
    return lambda: target.copy_(source)


def medians(steps: Mapping[str, Callable[[], Any]]) -> dict[str, float]:
    """The median time of each, in milliseconds, after three rounds that do not count."""
    times: dict[str, list[float]] = {form: [] for form in steps}
    for _ in range(3):
        for step in steps.values():
            step()
    end = time.perf_counter() + 1.0
    while time.perf_counter() < end or len(times["instep"]) < 5:
        for form, step in steps.items():
            began = time.perf_counter()
            step()
            times[form].append(1e3 * (time.perf_counter() - began))
    return {form: statistics.median(values) for form, values in times.items()}


def print_table(rows: Sequence[Row]) -> None:
    """Milliseconds, and how many times as long torch's forms take."""
    table = Table(
        title=f"one step in ms, {torch.get_num_threads()} threads, torch {torch.__version__}"
    )
    forms = ["torch loop", "torch foreach", "torch fused", "instep"]
    for name in ["algorithm", "size", *forms, "against best", "of copy"]:
        table.add_column(name, justify="left" if name in ("algorithm", "size") else "right")
    for row in rows:
        cells = [f"{row.times[f]:.3g}" if f in row.times else "" for f in forms]
        ours, best = row.times["instep"], min(row.times[f] for f in forms[:3] if f in row.times)
        share = row.times["bytes alone"] / ours
        table.add_row(row.algorithm, row.size, *cells, f"{best / ours:.2f}x", f"{share:.0%}")
    Console(width=120).print(table)


def draw(rows: Sequence[Row], path: Path) -> None:
    """How many times as fast as torch's forms, by algorithm and size."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(ALGORITHMS), figsize=(15, 4), sharey=True)
    for axis, algorithm in zip(axes, ALGORITHMS, strict=True):
        own = [r for r in rows if r.algorithm == algorithm.name]
        for form in ("torch loop", "torch foreach", "torch fused"):
            ratios = [r.times[form] / r.times["instep"] for r in own if form in r.times]
            if ratios:
                axis.plot([r.size for r in own], ratios, marker="o", label=form)
        axis.axhline(1, color="grey", linewidth=0.8)
        axis.set(title=algorithm.name, yscale="log")
        axis.tick_params(axis="x", rotation=60)
    axes[0].set_ylabel("time of a step, instep = 1")
    axes[1].legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
