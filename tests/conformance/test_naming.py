"""Whose keyword is whose: signatures, aliases, renames, flags."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import pytest
import torch

from instep import spec
from instep.conformance.errors import UsageError
from instep.conformance.naming import Keyword, infer_naming

ADAM, SGD = spec.get("adam"), spec.get("sgd")


def keras(params, learning_rate=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7, wd=0.0):
    """Names of another library, one keyword for each beta."""


def anything(params, **keywords):
    """No names at all."""


def test_torch_has_the_names_of_the_specification():
    naming = infer_naming(torch.optim.Adam, ADAM)
    assert naming.missing == ()
    assert naming.hyperparameters["beta2"] == Keyword("betas", 1)
    assert naming.options == {
        "maximize": "maximize",
        "amsgrad": "amsgrad",
        "decay": "decoupled_weight_decay",
    }
    assert naming.notes == ()


def test_flags_that_the_specification_does_not_know_are_kept_apart():
    naming = infer_naming(torch.optim.Adam, ADAM)
    assert set(naming.booleans) == {"capturable", "differentiable", "foreach", "fused"}
    assert not any(naming.booleans.values())


def test_aliases_are_found_and_said():
    naming = infer_naming(keras, ADAM)
    assert {k: v.name for k, v in naming.hyperparameters.items()} == {
        "lr": "learning_rate",
        "beta1": "beta_1",
        "beta2": "beta_2",
        "eps": "epsilon",
        "weight_decay": "wd",
    }
    assert "hyperparameter eps is the subject's epsilon (alias)" in naming.notes


def test_what_the_constructor_does_not_take_is_missing():
    naming = infer_naming(lambda params, lr=1e-3: None, ADAM)
    assert naming.missing == ("beta1", "beta2", "eps", "weight_decay")
    assert naming.options == {}


def test_what_means_nothing_in_a_dialect_is_not_set():
    def lion(params, lr=1e-4, max_lr=None):
        """A keyword that only another dialect knows."""

    assert "max_lr" not in infer_naming(lion, spec.get("lion/paper")).hyperparameters
    assert "max_lr" in infer_naming(lion, spec.get("lion/decay-relative")).hyperparameters
    # torch's SGD decides by an argument whether its momentum means anything.
    assert "dampening" in infer_naming(torch.optim.SGD, SGD).hyperparameters


def test_a_constructor_of_anything_is_given_torch_names():
    naming = infer_naming(anything, ADAM)
    assert naming.missing == ()
    assert naming.hyperparameters["beta1"] == Keyword("betas", 0)


def test_the_symbol_of_the_equations_is_a_name_too():
    own = tuple(replace(h, aliases=()) for h in ADAM.hyperparameters)

    def constructor(params, beta1=0.9):
        """One beta."""

    naming = infer_naming(constructor, replace(ADAM, hyperparameters=own))
    assert naming.hyperparameters == {"beta1": Keyword("beta1")}


def test_further_keywords_are_not_guessed_at():
    def constructor(params, lr=0.1, **rest):
        """Whatever the rest is for."""

    assert infer_naming(constructor, SGD).missing == ("momentum", "dampening", "weight_decay")


def test_options_can_be_renamed_by_their_name_or_their_keyword():
    def constructor(params, lr=0.1, ascend=False, look_ahead=False):
        """Two switches."""

    renamed = {"maximize": "ascend", "nesterov": "look_ahead"}
    assert infer_naming(constructor, SGD, renamed).options == renamed
    keyword = infer_naming(constructor, ADAM, {"decoupled_weight_decay": "ascend"})
    assert keyword.options == {"decay": "ascend"}


def test_a_rename_wins_over_everything():
    def constructor(params, lr=0.1, rate=0.2):
        """Has both."""

    naming = infer_naming(constructor, SGD, {"lr": "rate"})
    assert naming.hyperparameters["lr"] == Keyword("rate")
    assert naming.notes == ("hyperparameter lr is the subject's rate (given)",)


def test_a_tuple_and_an_entry_of_it_can_be_renamed():
    def constructor(params, decay_rates=(0.9, 0.99), first=0.9):
        """Two ways."""

    whole = infer_naming(constructor, ADAM, {"betas": "decay_rates"})
    assert whole.hyperparameters["beta2"] == Keyword("decay_rates", 1)
    one = infer_naming(constructor, ADAM, {"beta1": "first"})
    assert one.hyperparameters["beta1"] == Keyword("first")
    entry = infer_naming(constructor, ADAM, {"beta1": "decay_rates[1]", "beta2": "decay_rates[0]"})
    assert entry.hyperparameters["beta1"] == Keyword("decay_rates", 1)
    given = entry.arguments(ADAM, {"beta1": 0.5, "beta2": 0.25}, {})
    assert given == {"decay_rates": (0.25, 0.5)}


def test_what_means_nothing_in_a_dialect_is_not_passed():
    def constructor(params, lr=0.1, clamp_value=10.0):
        """Knows the keyword."""

    assert "clamp" in infer_naming(constructor, spec.get("lamb/clamped")).hyperparameters
    naming = infer_naming(constructor, spec.get("lamb/paper"))
    assert "clamp" not in naming.hyperparameters
    assert "clamp" not in naming.missing
    assert naming.idle == {"clamp"}


def test_values_that_an_argument_cannot_say_are_no_use_of_a_hyperparameter():
    def constructor(params, lr=0.1, max_lr=1.0, decoupled_weight_decay=False):
        """Its switch says two of the values that `decay` has; none of them reads max_lr."""

    assert "max_lr" in infer_naming(constructor, spec.get("adamw/decay-relative")).hyperparameters
    naming = infer_naming(constructor, ADAM)
    assert naming.options == {"decay": "decoupled_weight_decay"}
    assert naming.idle == {"max_lr"}


@pytest.mark.parametrize(
    ("rename", "message"),
    [
        ({"rho": "lr"}, "adam has no 'rho'; it has amsgrad, beta1"),
        ({"eps": "tiny"}, "the constructor has no keyword 'tiny'; it has learning_rate"),
    ],
)
def test_a_rename_of_nothing_is_refused(rename: dict[str, str], message: str):
    with pytest.raises(UsageError, match=message):
        infer_naming(keras, ADAM, rename)


def test_a_switch_is_no_number():
    def constructor(params, lr=0.1, momentum=False):
        """Momentum on or off."""

    naming = infer_naming(constructor, SGD)
    assert naming.notes == ("the subject's momentum is a switch, not the number momentum",)


def test_arguments_are_put_together_in_the_subject_s_names():
    naming = infer_naming(torch.optim.Adam, ADAM)
    values = {"lr": 0.5, "beta1": 0.25, "beta2": 0.75, "eps": 0.0, "weight_decay": 0.0}
    given = naming.arguments(ADAM, values, {"amsgrad": "raw", "maximize": False, "decay": "l2"})
    assert given == {
        "lr": 0.5,
        "betas": (0.25, 0.75),
        "eps": 0.0,
        "weight_decay": 0.0,
        "amsgrad": True,
        "maximize": False,
        "decoupled_weight_decay": False,
    }
    assert naming.read(ADAM, given) == values
    assert naming.read_options(ADAM, given) == {
        "amsgrad": "raw",
        "maximize": False,
        "decay": "l2",
    }


def test_what_the_subject_cannot_be_told_is_left_out():
    naming = infer_naming(keras, ADAM)
    given = naming.arguments(ADAM, {"lr": 0.5}, {"maximize": True})
    assert given == {"learning_rate": 0.5}


def test_a_partial_remembers_what_it_bound():
    bound: Any = functools.partial(torch.optim.Adam, lr=0.5, foreach=True)
    assert infer_naming(bound, ADAM).bound == {"lr": 0.5, "foreach": True}


def test_a_constructor_without_signature_takes_anything():
    class Opaque:
        __signature__ = "none"

        def __call__(self, params):
            """Cannot be inspected."""

    naming = infer_naming(Opaque(), SGD)
    assert naming.missing == ()
