"""Unknown optimizers are named by what they compute; names of classes are never looked at."""

from __future__ import annotations

import functools
import json
from typing import Any

import optimi
import pytest
import torch

from instep.conformance.identify import Identification, identify
from instep.reference.generate import load_class
from instep.spec import dialects, get


def named(subject: Any, **keywords: Any) -> list[str]:
    return [m.name for m in identify(subject, **keywords).matches]


class AdamW(torch.optim.SGD):
    """SGD under another name."""


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (torch.optim.SGD, ["sgd/torch"]),
        (torch.optim.Adam, ["adam/paper"]),
        (torch.optim.AdamW, ["adamw/torch"]),
        (functools.partial(torch.optim.Adam, amsgrad=True), ["amsgrad/torch"]),
        (functools.partial(torch.optim.SGD, momentum=0.5, nesterov=True), ["nesterov/torch"]),
        (AdamW, ["sgd/torch"]),
        (optimi.SGD, ["sgd/torch"]),
    ],
    ids=str,
)
def test_known(subject: Any, expected: list[str]) -> None:
    assert named(subject) == expected


@pytest.mark.parametrize(
    "subject",
    [
        torch.optim.RMSprop,
        torch.optim.Adagrad,
        torch.optim.NAdam,
        torch.optim.Rprop,
        torch.optim.ASGD,
    ],
)
def test_nothing_known_rather_than_a_guess(subject: Any) -> None:
    found = identify(subject)
    assert found.matches == ()
    assert "nothing known" in found.to_text()


@pytest.mark.parametrize("name", [d for d in dialects() if d != "nesterov/paper"])
def test_every_dialect_is_itself(name: str) -> None:
    """What the generator prints for a dialect is identified as that dialect, if by more names."""
    found = named(load_class(get(name), "eager"))
    assert name in found


def test_renamed_keywords_are_followed() -> None:
    def make(params: Any, step: float = 0.1, **rest: Any) -> torch.optim.Optimizer:
        return torch.optim.SGD(params, lr=step)

    found = identify(make, rename={"lr": "step"})
    assert "sgd/torch" in [m.name for m in found.matches]
    match = next(m for m in found.matches if m.name == "sgd/torch")
    assert match.hyperparameters == {"lr": "step"}
    assert set(match.fixed) == {"momentum", "dampening", "weight_decay"}


def test_plain_data() -> None:
    found: Identification = identify(torch.optim.AdamW)
    data = json.loads(json.dumps(found.to_json()))
    assert data["matches"][0]["name"] == "adamw/torch"
    assert data["matches"][0]["hyperparameters"]["beta2"] == "betas[1]"
