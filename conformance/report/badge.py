"""A badge for a README: the JSON that shields.io reads from an address (its endpoint badge)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from instep.conformance.report.model import Report
from instep.conformance.report.terminal import verdict

COLOURS = {"IN STEP": "brightgreen", "OUT OF STEP": "red", "NOT JUDGED": "lightgrey"}
# The worst verdict is the badge's.
ORDER = ("OUT OF STEP", "NOT JUDGED", "IN STEP")


def to_badge(reports: Sequence[Report]) -> str:
    """`instep | in step with adamw/torch`: the worst verdict, and the specs that have it."""
    by_word: dict[str, list[str]] = {}
    for report in reports:
        by_word.setdefault(verdict(report)[0], []).append(report.accepted or report.spec)
    word = next((w for w in ORDER if w in by_word), "NOT JUDGED")
    names = ", ".join(dict.fromkeys(by_word.get(word, ())))
    message = f"{word.lower()} with {names}" if names else word.lower()
    badge = {"schemaVersion": 1, "label": "instep", "message": message, "color": COLOURS[word]}
    return json.dumps(badge, indent=2) + "\n"
