"""A badge for a README: the JSON that shields.io reads from an address (its endpoint badge)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from instep.conformance.report.model import IN_STEP, NOT_JUDGED, OUT_OF_STEP, VERDICTS, Report

COLOURS = {IN_STEP: "brightgreen", OUT_OF_STEP: "red", NOT_JUDGED: "lightgrey"}


def to_badge(reports: Sequence[Report]) -> str:
    """`instep | in step with adamw/torch`: the worst verdict, and the specs that have it."""
    by_word: dict[str, list[str]] = {}
    for report in reports:
        by_word.setdefault(report.verdict, []).append(report.dialect)
    word = next((word for word in VERDICTS if word in by_word), NOT_JUDGED)
    names = ", ".join(dict.fromkeys(by_word.get(word, ())))
    message = f"{word.lower()} with {names}" if names else word.lower()
    badge = {"schemaVersion": 1, "label": "instep", "message": message, "color": COLOURS[word]}
    return json.dumps(badge, indent=2) + "\n"
