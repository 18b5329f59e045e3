"""The catalogue of checks: every module of this package contributes a topic.

A topic module has a function `checks(plan)` that yields the checks it has for a spec. Nothing else
needs to
know of it: the suite finds the modules by walking the package.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import replace

from instep.conformance.checks.base import Check, Plan

# Causes before consequences: a failure is explained by the first failed check.
_FIRST = ("construction", "numerics", "options", "precision")
_NO_TOPICS = ("base",)
# A function that changes gradients has no constructor, groups or state to speak of.
_OF_GRADIENTS = ("construction", "numerics", "options", "precision", "determinism", "gradients",
                 "transform")  # fmt: skip


def collect(plan: Plan) -> tuple[Check, ...]:
    """All checks for a spec, in the order in which they run."""
    topics = _topics()
    if plan.algorithm.result == "gradient":
        return tuple(_of_gradient(c) for t in topics if t in _OF_GRADIENTS for c in _of(t, plan))
    return tuple(check for topic in topics for check in _of(topic, plan))


def _of_gradient(check: Check) -> Check:
    """A check in the words for a function whose result is a gradient."""
    return replace(
        check, requirement=check.requirement.replace("parameters follow", "new gradients follow")
    )


def _topics() -> list[str]:
    names = [m.name for m in pkgutil.iter_modules(__path__) if m.name not in _NO_TOPICS]
    return [n for n in _FIRST if n in names] + sorted(n for n in names if n not in _FIRST)


def _of(topic: str, plan: Plan) -> Iterator[Check]:
    yield from importlib.import_module(f"{__name__}.{topic}").checks(plan)
