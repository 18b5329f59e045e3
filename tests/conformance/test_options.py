"""Hyperparameters that only an option makes the equations read are judged with that option."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from instep import spec
from instep.conformance.checks.base import Skip
from instep.conformance.oracle import Model
from instep.conformance.suite import Session
from instep.spec.options import hyperparameters_read
from meta.interpreted import subject
from meta.strength import fails

SCION = spec.get("scion/paper")
CHANGED, OPTION = "scion/hyperparameters/weight-decay-changed", "scion/options/unconstrained"


def session(model: Model, **keywords: Any) -> Session:
    return Session(subject(model), SCION, **keywords)


def test_decay_is_read_without_the_constraint_alone() -> None:
    options = SCION.option_defaults()
    assert "weight_decay" not in hyperparameters_read(SCION, options)
    assert "weight_decay" in hyperparameters_read(SCION, {**options, "unconstrained": True})


def test_the_first_value_of_a_state_reads_as_well() -> None:
    adagrad = spec.get("adagrad")
    (first,) = [h.name for h in adagrad.hyperparameters if h.key == "initial_accumulator_value"]
    assert first in hyperparameters_read(adagrad, adagrad.option_defaults())


@pytest.mark.parametrize(
    ("model", "failed"),
    [
        (Model(SCION), ()),
        (Model(SCION, frozenset({"weight_decay"})), (CHANGED,)),
        (Model(SCION, distort={"weight_decay": lambda x: float(np.float16(x))}), (CHANGED, OPTION)),
    ],
    ids=["none", "frozen", "coarse"],
)
def test_it_is_changed_and_has_many_digits_there(model: Model, failed: tuple[str, ...]) -> None:
    judged = session(model)
    assert tuple(n for n in (CHANGED, OPTION) if fails(judged.checks[n], judged)) == failed


def test_where_no_option_helps_the_change_is_not_judged() -> None:
    fixed = session(Model(SCION), fixed=("unconstrained",))
    with pytest.raises(Skip, match="no option"):
        fixed.checks[CHANGED].run(fixed.context)
