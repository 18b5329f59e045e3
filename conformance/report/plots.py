"""Plots of a report as SVG text: how far from the equations, step by step and check by check."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from instep.conformance.errors import UsageError
from instep.conformance.report.model import Report, Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Ratios below the first and above the last are drawn there: exact lanes, and what is no number.
LEAST, MOST = 1e-3, 1e18
MOST_LINES = 8
# Okabe and Ito's colours, which most colour-blind people tell apart.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#000000")
GOOD, BAD, OPEN = "#0072b2", "#d55e00", "#888888"
# Marks, so that nothing hangs on colour alone.
STYLES = {"passed": (GOOD, "o"), "failed": (BAD, "x"), "errored": (BAD, "x")}
THRESHOLDS = ((2.0, "in step"), (1024.0, "another algorithm"))
WIDTH, INCH_A_CHECK = 8.0, 0.19


def require_matplotlib() -> None:
    """Raise UsageError where no plots can be drawn, before the work whose result they show."""
    try:
        import matplotlib  # noqa: F401 - looked for, not used
    except ImportError:
        line = "an HTML report has plots, drawn by matplotlib: pip install 'instep[html]'"
        raise UsageError(line) from None


def by_step(report: Report) -> str:
    """Worst ratio to the bound after each step, a line for each quantity; empty without any."""
    chosen = _followed(report.results)
    if not chosen:
        return ""
    marks = ("o", "s", "^", "D", "v", "P", "X", "*")

    def draw(axes: Axes) -> None:
        for k, result in enumerate(chosen):
            steps = range(1, len(result.by_step) + 1)
            heights = [_inside(ratio) for ratio in result.by_step]
            axes.plot(
                list(steps), heights, color=COLOURS[k], marker=marks[k], markersize=4,
                linewidth=2 if result.status == "failed" else 1, label=_label(result),
            )  # fmt: skip
        axes.set_yscale("log")
        axes.set_xlabel("step")
        axes.set_ylabel("worst lane, in bounds")
        for height, name in THRESHOLDS:
            axes.axhline(height, color=OPEN, linewidth=0.8, linestyle="--")
            axes.annotate(name, (0.995, height), xycoords=("axes fraction", "data"), ha="right",
                          va="bottom", fontsize=8)  # fmt: skip
        axes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))

    return _svg(draw, 3.6)


def by_check(report: Report) -> str:
    """Worst ratio of every check that compared numbers; empty if none did."""
    measured = [r for r in report.results if r.worst is not None]
    if not measured:
        return ""

    def draw(axes: Axes) -> None:
        for k, result in enumerate(measured):
            colour, mark = STYLES.get(result.status, (OPEN, "d"))
            axes.plot([_inside(result.worst or 0.0)], [k], color=colour, marker=mark, markersize=5,
                      markeredgewidth=2)  # fmt: skip
        axes.set_xscale("log")
        axes.set_xlabel("worst lane, in bounds (disc: passed, cross: failed, diamond: neither)")
        axes.set_yticks(range(len(measured)), [_label(r) for r in measured], fontsize=8)
        axes.set_ylim(len(measured) - 0.5, -0.5)
        axes.grid(axis="y", linewidth=0.3)
        for height, _ in THRESHOLDS:
            axes.axvline(height, color=OPEN, linewidth=0.8, linestyle="--")

    return _svg(draw, 1.0 + INCH_A_CHECK * len(measured))


def _followed(results: Sequence[Result]) -> list[Result]:
    """What is worth a line: causes of failures first, then what follows the equations as far."""
    several = [r for r in results if len(r.by_step) > 1]
    causes = [r for r in several if r.status == "failed" and not r.consequence_of]
    numeric = [r for r in several if "/numerics/" in r.id]
    # The first one follows the equations as they stand, and each quantity is followed as far.
    alike = [r for r in numeric if len(r.by_step) == len(numeric[0].by_step)]
    return list({r.id: r for r in (*causes, *alike)}.values())[:MOST_LINES]


def _label(result: Result) -> str:
    """The id without the specification, which is the same everywhere."""
    return result.id.partition("/")[2]


def _inside(ratio: float) -> float:
    """A ratio that a logarithmic axis can show; gaps stay gaps."""
    return ratio if math.isnan(ratio) else min(max(ratio, LEAST), MOST)


def _svg(draw: Callable[[Axes], None], height: float) -> str:
    """One figure as an `<svg>` element: text stays text, and the same report gives the same."""
    require_matplotlib()
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "instep"}):
        figure: Figure = Figure(figsize=(WIDTH, height), layout="constrained")
        draw(figure.add_subplot())
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    text = file.getvalue()
    return text[text.index("<svg") :]
