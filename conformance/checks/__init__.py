"""The catalogue of checks: every module of this package contributes a topic.

A topic module has a function `checks(plan)` that yields the checks it has for a spec. Nothing else
needs to
know of it: the suite finds the modules by walking the package.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from instep.conformance.checks.base import Check, Plan

# Causes before consequences: a failure is explained by the first failed check.
_FIRST = ("construction", "numerics", "options", "precision")
_NO_TOPICS = ("base",)


def collect(plan: Plan) -> tuple[Check, ...]:
    """All checks for a spec, in the order in which they run."""
    return tuple(check for topic in _topics() for check in _of(topic, plan))


def _topics() -> list[str]:
    names = [m.name for m in pkgutil.iter_modules(__path__) if m.name not in _NO_TOPICS]
    return [n for n in _FIRST if n in names] + sorted(n for n in names if n not in _FIRST)


def _of(topic: str, plan: Plan) -> Iterator[Check]:
    yield from importlib.import_module(f"{__name__}.{topic}").checks(plan)
