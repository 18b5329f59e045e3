"""What a result says of a comparison: how far off, how sharp, and a remark on what is not wrong."""

from __future__ import annotations

from typing import Any

from instep.conformance.verdict import SPREAD, Severity, Tally


def measured(tally: Tally | None) -> dict[str, Any]:
    """What a result says of the lanes that its check compared."""
    if tally is None:
        return {}
    return {
        "sensitivity": None if tally.blind else tally.sharpest,
        "worst": tally.worst,
        "yardstick": tally.yardstick,
        "by_step": tally.by_step,
    }


def remark(tally: Tally) -> tuple[str, str]:
    """(status, message) of a comparison that is not out of step."""
    if tally.blind:
        return "insensitive", "bounds and spread are wider than an eighth of the update everywhere"
    if tally.severity > Severity.IN_STEP:
        unit = "spreads" if tally.yardstick == SPREAD else "bounds"
        return "passed", f"{tally.severity.name.lower()}: up to {tally.worst:.3g} {unit} off"
    return "passed", ""
