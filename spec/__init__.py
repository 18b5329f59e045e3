"""The specification: algorithms as symbolic equations, and what can be done with them."""

from __future__ import annotations

from instep.spec.errors import SpecError, UnknownSpecError
from instep.spec.model import Algorithm, Dialect
from instep.spec.registry import dialects, get, meanings, names, schedule_names, wrappers

__all__ = [
    "Algorithm",
    "Dialect",
    "SpecError",
    "UnknownSpecError",
    "dialects",
    "get",
    "meanings",
    "names",
    "schedule_names",
    "wrappers",
]
