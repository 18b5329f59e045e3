"""An engine that reads its results off the subject: what doors open into, without torch.

A subject is any object with `results`, a mapping {id: (level, status, message)}; an exception in
place of a status is one that the check raises.
"""

from __future__ import annotations

import sys
import types

from instep.conformance.errors import StaleExpectationError
from instep.conformance.report.model import Coverage, Evidence, Report, Result

opened = []


def evidence():
    return Evidence(
        *("adamw.denominator", "theta", "dyadic", "float32", 3, 0, 17, 256, 131, 640),
        *("", -0.036, 1e-8, -0.033, 7e5, "the update"),
    )


class Session:
    def __init__(self, subject, spec, **keywords):
        if not hasattr(subject, "results"):
            subject = types.SimpleNamespace(results=PASSING, __name__=subject.__name__)
        opened.append((subject, spec, keywords))
        unknown = set(keywords.get("expected_failures") or {}) - set(subject.results)
        if unknown:
            raise StaleExpectationError(f"expected failure of unknown check {min(unknown)}")
        self.results, self.spec = subject.results, spec
        self.ids = tuple(subject.results)
        self.subject = types.SimpleNamespace(name=f"mine.{subject.__name__}")

    def run(self, id):
        level, status, message = self.results[id]
        if isinstance(status, Exception):
            raise status
        shown = evidence() if status == "failed" else None
        return Result(id, level, status, "what is required", message, evidence=shown)

    def diagnosis_of(self, id):
        return None

    def report(self, progress=None):
        results = []
        for number, id in enumerate(self.ids):
            if progress is not None:
                progress(number, len(self.ids), id)
            results.append(self.run(id))
        return self.built(results)

    def report_of(self, id):
        return self.built([self.run(id)])

    def built(self, results):
        skipped = tuple((r.id, r.message) for r in results if r.status == "skipped")
        ran = len(results) - len(skipped)
        coverage = Coverage(len(self.ids), ran, skipped)
        return Report(
            self.subject.name, f"{self.spec}/torch", 1, "quick", tuple(results), None, coverage
        )


PASSING = {"adamw/a/one": ("must", "passed", ""), "adamw/a/two": ("must", "passed", "")}


def check(subject, spec, **keywords):
    return Session(subject, spec, **keywords).report()


def catalogue():
    return [
        ("adamw/a/one", "must", "the first thing holds"),
        ("sgd/a/one", "must", "the first thing holds"),
        ("adamw/b/two", "should", "the second thing holds"),
    ]


def install():
    """Put this module in the engine's place."""
    sys.modules["instep.conformance.suite"] = sys.modules[__name__]
