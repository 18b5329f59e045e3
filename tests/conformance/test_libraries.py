"""The committed table of what libraries compute is what `identify` finds, and is explained."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from instep import spec
from meta.survey import PACKAGES, Finding, Target, release, survey, targets

FILE = Path(__file__).resolve().parents[2] / "docs" / "data" / "libraries.json"
DATA = json.loads(FILE.read_text())
# Classes that are found to be something else than what they are called, each looked into by hand.
EXPLAINED = {
    "pytorch_optimizer:AdamWSN": "subset_size=-1 keeps a second moment for each lane",
    "pytorch_optimizer:EmoLynx": "its emotion reads the loss of a closure; without one it is Lion",
    "pytorch_optimizer:Fira": "without a rank nothing is projected",
    "pytorch_optimizer:GaLore": "without a rank nothing is projected",
    "pytorch_optimizer:QHAdam": "nus of 1 weigh the moments alone",
    "pytorch_optimizer:QHM": "nu of 1 weighs the momentum alone",
    "pytorch_optimizer:SPAM": "no lane is a spike yet, and moments are kept for 500 steps",
    "pytorch_optimizer:ScalableShampoo": "it preconditions every 1000th step: grafted SGD before",
    "pytorch_optimizer:Tiger": "the sign of an average of gradients",
    "torch_optimizer:QHAdam": "nus of 1 weigh the moments alone",
    "torch_optimizer:SWATS": "it is Adam until it switches to SGD",
}
# Classes of a name that the catalogue knows, which are none of its dialects.
UNKNOWN = {
    "pytorch_optimizer:ASGD": "accelerated SGD of Jain et al., another algorithm of that name",
    "pytorch_optimizer:AdaFactor": "it keeps its momentum in bfloat16 unless told otherwise",
    "pytorch_optimizer:AdamC": "a second eps of 1e-15 stands inside the root",
    "pytorch_optimizer:LaProp": "a second eps of 1e-15 stands inside the root",
    "pytorch_optimizer:MARS": "vectors take a step of AdamW at another rate",
    "pytorch_optimizer:Ranger": "it ascends first: conformance/findings",
    "torch_optimizer:Adafactor": "its eps2 is a pair of numbers that the spec has apart",
    "torch_optimizer:NovoGrad": "its state is float32 whatever the parameters are",
    "torch_optimizer:SGDW": "decay does not multiply the parameter: conformance/findings",
    "schedulefree:AdamWScheduleFreeClosure": "it evaluates the gradient where the spec stores it",
    "schedulefree:RAdamScheduleFreeClosure": "it evaluates the gradient where the spec stores it",
    "schedulefree:SGDScheduleFreeClosure": "it evaluates the gradient where the spec stores it",
}
# One in so many is identified anew in every run; `make test-slow` does all of them.
SHARE = 48


def finding(plain: dict[str, Any]) -> Finding:
    return Finding(**{**plain, "matches": tuple(plain["matches"]), "seconds": 0.0})


@cache
def committed() -> dict[str, Finding]:
    found = [finding(plain) for plain in DATA["findings"]]
    return {Target(f.package, f.name, f.keywords).label: f for f in found}


def every_target() -> list[Target]:
    return [target for package in PACKAGES for target in targets(package)]


def same(target: Target) -> None:
    found, kept = survey(target), committed()[target.label]
    assert (found.matches, found.reason) == (kept.matches, kept.reason)


def test_four_packages_are_surveyed_in_the_versions_that_are_installed():
    surveyed = {f.package: f.version for f in committed().values()}
    assert len(surveyed) >= 4
    assert surveyed == {package: release(package) for package in PACKAGES}


def test_every_class_is_in_the_table():
    assert set(committed()) == {t.label for t in every_target()}


def test_no_class_is_named_wrongly():
    """Another name than the class bears is a claim that somebody has looked into."""
    others = {label for label, f in committed().items() if f.outcome == "another name"}
    assert others == set(EXPLAINED)


def test_what_bears_a_known_name_and_is_unknown_is_explained():
    unknown = {x for x, f in committed().items() if f.claim and f.outcome == "nothing known"}
    assert unknown == set(UNKNOWN)


def test_every_name_is_in_the_catalogue():
    for f in committed().values():
        assert set(f.matches) <= {*spec.dialects(), *spec.names()}


@pytest.mark.parametrize("target", every_target()[::SHARE], ids=lambda t: t.label)
def test_a_sample_is_identified_as_the_table_says(target: Target):
    same(target)


@pytest.mark.slow
@pytest.mark.parametrize("target", every_target(), ids=lambda t: t.label)
def test_every_class_is_identified_as_the_table_says(target: Target):
    same(target)
