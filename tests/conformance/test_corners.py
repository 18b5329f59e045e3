"""Corners: hyperparameters at zero, and lanes where the equations ask for zero."""

from __future__ import annotations

from typing import Any

import madgrad
import torch

from instep import spec
from instep.conformance.checks.base import Failure, Plan
from instep.conformance.checks.numerics import corners
from instep.conformance.mutate import mutants
from instep.conformance.oracle import Model
from instep.conformance.suite import Session
from meta.interpreted import subject as interpreted

RELEASE = "madgrad/release"
FREE = "schedulefree-sgd"


class Unguarded(madgrad.MADGRAD):
    """0 / 0 where all gradients were zero and there is no eps."""

    def step(self, closure: Any = None) -> Any:
        loss = super().step(closure)
        for group in self.param_groups:
            for p in group["params"]:
                if group["eps"] == 0 and p in self.state:
                    p.data[self.state[p]["grad_sum_sq"] == 0] = torch.nan
        return loss


class MovesAnyway(madgrad.MADGRAD):
    """eps is added to a learning rate of zero too."""

    def step(self, closure: Any = None) -> Any:
        rates = [group["lr"] for group in self.param_groups]
        for group in self.param_groups:
            group["lr"] = group["lr"] or 1e-300
        loss = super().step(closure)
        for group, lr in zip(self.param_groups, rates, strict=True):
            group["lr"] = lr
        return loss


def passes(subject: Any, corner: str) -> bool:
    session = Session(subject, RELEASE)
    try:
        session.checks[f"madgrad/numerics/zero-{corner}"].run(session.context)
    except Failure:
        return False
    return True


def test_a_learning_rate_of_zero_is_a_corner_where_the_equations_ask_for_it():
    asks = {RELEASE: True, FREE: True, "adam": False, "adamw": False}
    assert {name: "lr" in corners(Plan(spec.get(name))) for name in asks} == asks
    assert passes(madgrad.MADGRAD, "lr")
    assert not passes(MovesAnyway, "lr")


def test_a_learning_rate_of_zero_shows_a_condition_that_is_ignored():
    algorithm = spec.get(FREE)
    divides = next(m for m in mutants(algorithm) if m.name == "share: condition ignored")
    for model, status in ((Model(algorithm), "passed"), (divides.model, "failed")):
        session = Session(interpreted(model), algorithm)
        assert session.run(f"{FREE}/numerics/zero-lr").status == status


def test_lanes_without_gradients_are_tried_where_the_equations_ask_for_zero():
    assert passes(madgrad.MADGRAD, "eps")
    assert not passes(Unguarded, "eps")


def test_what_one_order_of_operations_keeps_exactly_rounds_in_another():
    # Where the gradient is zero the paper's average is one of two equal numbers.
    stored = interpreted(Model(spec.get(f"{FREE}/paper")))
    assert Session(stored, f"{FREE}/authors").run(f"{FREE}/numerics/defaults").status == "passed"
