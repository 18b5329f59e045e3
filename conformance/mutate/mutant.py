"""A mutant: a model with one mistake, named after the equation and the kind of mistake."""

from __future__ import annotations

from dataclasses import dataclass

from instep.conformance.oracle import Model


@dataclass(frozen=True)
class Mutant:
    """One mistake.

    Attributes:
        name: `<equation>:<kind>`, unique within an algorithm together with its description.
        equation: the equation that is wrong (or the state whose first value is).
        kind: the kind of mistake, for ranking and for counting.
        description: what is computed instead.
        model: the algorithm with the mistake.
    """

    name: str
    equation: str
    kind: str
    description: str
    model: Model
