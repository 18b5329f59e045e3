"""Mutants: what a specification turns into by one realistic mistake.

They serve twice: as candidates of the diagnosis (what does the subject compute instead?), and as
    the measure of the suite's own strength (is every mistake caught?).
"""

from __future__ import annotations

from instep.conformance.mutate.mutant import Mutant
from instep.conformance.mutate.mutants import mutants

__all__ = ["Mutant", "mutants"]
