"""Whether a specification makes sense, said with file, line, algorithm, equation and reason.

The heart is definite assignment on the body that every assignment of options leaves; beside it:
names, kinds, scopes, and that no hyperparameter, option or state is idle without saying why.
"""

from __future__ import annotations

from dataclasses import replace

from instep.spec import ir, model
from instep.spec.assignment import Paths, fail
from instep.spec.options import assignments
from instep.spec.validate.declarations import (
    blocks,
    conditions,
    hyperparameters,
    names,
    shapes,
    signature,
)
from instep.spec.validate.dialects import dialects
from instep.spec.validate.equations import equations, histories, statements, views
from instep.spec.validate.usage import every_assignment, nothing_idle


def validate(algorithm: model.Algorithm) -> model.Algorithm:
    """Return the algorithm unchanged, or raise SpecError naming file, equation and reason."""
    names(algorithm)
    hyperparameters(algorithm)
    signature(algorithm)
    conditions(algorithm)
    shapes(algorithm)
    blocks(algorithm)
    dialects(algorithm)
    statements(algorithm)
    equations(algorithm)
    histories(algorithm)
    views(algorithm)
    used = every_assignment(algorithm)
    nothing_idle(algorithm, used)
    if algorithm.schedule is not None:
        _closed_form(algorithm, algorithm.schedule)
    return algorithm


def _closed_form(algorithm: model.Algorithm, schedule: model.Schedule) -> None:
    """A closed form is a body of its own, which assigns what the schedule writes."""
    if not schedule.closed:
        return
    closed = replace(algorithm, body=schedule.closed)
    statements(closed)
    equations(closed)
    for options in assignments(algorithm):
        Paths(closed).check(options)
    for name, _ in schedule.entries:
        if name not in ir.assigned(schedule.closed):
            fail(algorithm, "closed_form", f"does not assign {name}")
