"""Mistakes that checks once let pass, each with what was then made to see it."""

from __future__ import annotations

import pytest

from instep import spec
from instep.conformance.mutate import mutants
from instep.conformance.oracle import Model
from instep.conformance.suite import Session
from meta.interpreted import subject
from meta.strength import fails

# The check, the dialect, and how the mistake's name and its description begin.
HOLES = [
    # The difference of two averages is negative by rounding alone, once they have arrived.
    ("gradients/constant", "rmsprop/clamp", "variance: max missing", "n = v"),
    # Another group value kept the rectification from ever beginning.
    ("groups/own-values", "radam/wait", "first_moment: beta1 kept from construction", "beta1"),
    # The parameter that missed gradients had so small ones that no moment of theirs counted.
    ("gradients/none", "adamuon/average", "counter: one step counter for all", "one step"),
    # No matrix was square.
    ("numerics/trajectory", "muon/torch", "orient: threshold one lower", "threshold"),
    # What ought to stand still was thought too insensitive to be judged.
    ("numerics/zero-lr", "schedulefree-adamw/stored", "average: x starts at 0", "x starts"),
    # Among few lanes none was about to change its sign.
    ("hyperparameters/beta1-changed", "mars/lion", "first_moment: factor twice", "m = beta1*prev"),
    # The estimate never grew as fast as it may, or not before the run ended.
    ("numerics/trajectory", "dadapt-adam/authors", "distance: min missing", "d = max(prev(d), d_"),
    ("hyperparameters/growth-changed", "dadapt-adam/authors", "distance: growth kept", "growth"),
    # Hyperparameters with many bits came only with averages so short that it never grew.
    ("hyperparameters/growth-changed", "dadapt-adam/authors", "distance: growth rounded", "growth"),
    # With weight decay a gradient of zero is none.
    ("gradients/zero", "dadapt-adam/authors", "average_agreement: condition ignored", "cond"),
    # Only what asks about a learning rate of zero met one in the middle of a run.
    ("hyperparameters/lr-changed", "prodigy/paper", "runs: condition ignored", "condition"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "dialect", "name", "description"), HOLES)
def test_the_check_sees_the_mistake_and_nothing_where_there_is_none(
    check: str, dialect: str, name: str, description: str
) -> None:
    algorithm = spec.get(dialect)
    found = (m for m in mutants(algorithm) if m.name.startswith(name))
    wrong = next(m.model for m in found if m.description.startswith(description))
    for model, failed in ((wrong, True), (Model(algorithm), False)):
        judged = Session(subject(model), algorithm)
        assert fails(judged.checks[f"{judged.prefix}/{check}"], judged) == failed
