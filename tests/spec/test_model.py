from __future__ import annotations

import pytest

from instep.spec import get
from instep.spec.errors import SpecError


def test_a_dialect_gives_options_defaults_and_its_public_name():
    bound = get("adam").bind(
        next(d for d in get("adam").dialects if d.name == "adamw/hugging-face")
    )
    assert (bound.name, bound.spec, bound.full_name) == ("adamw", "adam", "adamw/hugging-face")
    assert bound.identifier == "adamw@1"
    assert bound.pinned == {"epsilon": "hat", "decay": "after"}
    assert bound.option_defaults() | bound.pinned == bound.option_defaults()
    assert bound.option_defaults()["correction"] == "both"
    assert (bound.defaults()["eps"], bound.defaults()["beta1"]) == (1e-6, 0.9)


def test_with_options_changes_those_alone():
    changed = get("adamw").with_options({"amsgrad": "raw"}).option_defaults()
    assert changed == get("adamw").option_defaults() | {"amsgrad": "raw"}


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (lambda a: a.with_options({"amsgrad": "max"}), "no value 'max'; it has .*'raw'"),
        (lambda a: a.with_options({"nesterov": True}), "no option 'nesterov'; it has .*'amsgrad'"),
        (lambda a: a.hyperparameter("mu"), "no hyperparameter 'mu'; it has lr, beta1"),
        (lambda a: a.option("mu"), "no option 'mu'"),
        (lambda a: a.state("b"), r"no state 'b'; it has \['m', 'v', 'v_max'\]"),
    ],
)
def test_an_unknown_name_is_answered_with_the_known_ones(ask, reason):
    with pytest.raises(SpecError, match=f"adamw.*{reason}"):
        ask(get("adamw"))
