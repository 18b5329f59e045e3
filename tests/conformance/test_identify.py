"""Unknown optimizers are named by what they compute; names of classes are never looked at."""

from __future__ import annotations

import functools
import json
from typing import Any

import optimi
import pytest
import pytorch_optimizer
import torch
from torch.nn.utils import clip_grad_norm_

from instep.conformance.identify import Identification, identify
from instep.reference.generate import load_class, load_function
from instep.spec import get
from sampling import each_dialect


def named(subject: Any, **keywords: Any) -> list[str]:
    return [m.name for m in identify(subject, **keywords).matches]


class AdamW(torch.optim.SGD):
    """SGD under another name."""


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (torch.optim.SGD, ["sgd/torch"]),
        pytest.param(torch.optim.Adam, ["adam/paper"], marks=pytest.mark.slow),
        (torch.optim.AdamW, ["adamw/torch"]),
        pytest.param(
            functools.partial(torch.optim.Adam, amsgrad=True),
            ["amsgrad/torch"],
            marks=pytest.mark.slow,
        ),
        (functools.partial(torch.optim.SGD, momentum=0.5, nesterov=True), ["nesterov/torch"]),
        (AdamW, ["sgd/torch"]),
        pytest.param(optimi.SGD, ["sgd/torch"], marks=pytest.mark.slow),
        (functools.partial(optimi.AdamW, lr=1e-3), ["adamw/torch"]),
    ],
    ids=str,
)
def test_known(subject: Any, expected: list[str]) -> None:
    assert named(subject) == expected


class Frame(torch.optim.Optimizer):
    """One rule for every parameter, in the arguments that most optimizers have."""

    def __init__(
        self, params: Any, lr: float = 1e-3, beta: float = 0.9, weight_decay: float = 0.0
    ) -> None:
        super().__init__(params, {"lr": lr, "beta": beta, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.move(p, p.grad + group["weight_decay"] * p, self.state[p], group)
        return loss

    def move(self, p: Any, g: Any, state: Any, group: Any) -> None:
        raise NotImplementedError


class CubeRoot(Frame):
    """A mean of the third powers of the gradient's sizes, and its third root."""

    def move(self, p: Any, g: Any, state: Any, group: Any) -> None:
        mean = state.setdefault("mean", torch.zeros_like(p))
        mean.mul_(group["beta"]).add_((1 - group["beta"]) * g.abs() ** 3)
        p -= group["lr"] * g / (mean ** (1 / 3) + 1e-8)


class SquaredGradient(Frame):
    """Descent along the square of the gradient that keeps its sign, with a buffer."""

    def move(self, p: Any, g: Any, state: Any, group: Any) -> None:
        b = state.setdefault("b", torch.zeros_like(p))
        b.mul_(group["beta"]).add_(g * g.abs())
        p -= group["lr"] * b


class TenthTakenBack(torch.optim.Adam):
    """Adam, of whose every step but the first a tenth is taken back."""

    def step(self, closure: Any = None) -> Any:
        parameters = [p for group in self.param_groups for p in group["params"]]
        first = not self.state
        before = [p.detach().clone() for p in parameters]
        loss = super().step(closure)
        with torch.no_grad():
            for p, old in zip(parameters, before, strict=True):
                p -= (0.0 if first else 0.1) * (p - old)
        return loss


@pytest.mark.parametrize(
    "subject",
    [CubeRoot, SquaredGradient, TenthTakenBack, pytorch_optimizer.A2Grad],
)
def test_nothing_known_rather_than_a_guess(subject: Any) -> None:
    found = identify(subject)
    assert found.reason == ""
    assert found.matches == ()
    assert "nothing known" in found.to_text()


@pytest.mark.parametrize("name", each_dialect(without=["nesterov/paper"], share=8))
def test_every_dialect_is_itself(name: str) -> None:
    """What the generator prints for a dialect is identified as that dialect, if by more names."""
    algorithm = get(name)
    function = algorithm.result == "gradient"
    subject = load_function(algorithm) if function else load_class(algorithm, "eager")
    assert name in named(subject, among=[algorithm.name])


def test_a_class_is_no_function_that_changes_gradients_nor_the_other_way_round() -> None:
    gradients = ["agc", "centralize", "clip-grad-norm", "clip-grad-value"]
    assert named(torch.optim.SGD, among=gradients) == []
    assert named(clip_grad_norm_, among=["sgd", "adam"]) == []
    assert named(clip_grad_norm_, among=gradients) == ["clip-grad-norm/torch"]


def test_a_keyword_that_the_usual_meaning_does_not_read_is_set_for_those_that_do() -> None:
    class Relative(torch.optim.AdamW):
        """Decay by the share of the largest rate, in the terms of plain AdamW."""

        def __init__(
            self, params: Any, lr: float = 1e-3, weight_decay: float = 0.0, max_lr: float = 0.5
        ) -> None:
            super().__init__(params, lr, weight_decay=weight_decay / max_lr)

    (match,) = identify(Relative, among=["adamw"]).matches
    assert match.name == "adamw/decay-relative"
    assert match.hyperparameters["max_lr"] == "max_lr"


def test_renamed_keywords_are_followed() -> None:
    def make(params: Any, step: float = 0.1, **rest: Any) -> torch.optim.Optimizer:
        return torch.optim.SGD(params, lr=step)

    found = identify(make, rename={"lr": "step"})
    assert "sgd/torch" in [m.name for m in found.matches]
    match = next(m for m in found.matches if m.name == "sgd/torch")
    assert match.hyperparameters == {"lr": "step"}
    assert set(match.fixed) == {"momentum", "dampening", "weight_decay"}


def test_names_that_nobody_knows_are_tried_out() -> None:
    def make(
        params: Any, pace: float = 0.1, shrink: float = 0.0, keep: float = 0.5
    ) -> torch.optim.Optimizer:
        return torch.optim.SGD(params, lr=pace, weight_decay=shrink, momentum=keep)

    (match,) = identify(make).matches
    assert match.name == "sgd/torch"
    assert match.hyperparameters == {"lr": "pace", "weight_decay": "shrink", "momentum": "keep"}
    assert match.fixed == ("dampening",)


def test_a_number_that_no_spec_knows_is_mentioned() -> None:
    class Clipped(torch.optim.SGD):
        def __init__(self, params: Any, lr: float = 0.1, limit: float = 1e9) -> None:
            super().__init__(params, lr)

    found = identify(Clipped, among=["sgd"])
    assert found.matches[0].other == {"limit": 1e9}
    assert "left alone: limit = 1000000000.0" in found.to_text()


def test_a_corner_that_fails_is_mentioned() -> None:
    """Everything but eps = 0 is Adam's."""

    class Guarded(torch.optim.Adam):
        def __init__(
            self, params: Any, lr: float = 0.1, eps: float = 1e-8, weight_decay: float = 0.0
        ) -> None:
            super().__init__(params, lr, eps=eps or 1e-4, weight_decay=weight_decay)

    (match,) = identify(Guarded).matches
    assert match.name == "adam/paper"
    assert match.failing == ("numerics/zero-eps",)


class QuickNAdam(torch.optim.NAdam):
    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: Any = (0.9, 0.999),
        eps: float = 1e-7,
        weight_decay: float = 0.0,
        psi: float = 1.0,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, psi)


@pytest.mark.parametrize(
    ("subject", "first", "settings"),
    [
        (torch.optim.NAdam, "nadam/torch", {"eps": 1e-7, "momentum_decay": 1.0}),
        (QuickNAdam, "nadam/keras", {"eps": 1e-8, "psi": 4e-3}),
    ],
)
def test_where_values_alone_tell_dialects_apart_they_are_said(
    subject: Any, first: str, settings: dict[str, float]
) -> None:
    own, other = identify(subject, among=["nadam"]).matches
    assert own.name == first
    assert {own.name, other.name} == {"nadam/torch", "nadam/keras"}
    assert own.settings == {}
    assert other.settings == settings
    assert "by setting" in identify(subject, among=["nadam"]).to_text()


def test_a_subject_that_does_not_run_says_why() -> None:
    def broken(params: Any) -> None:
        raise RuntimeError("out of order")

    found = identify(broken)
    assert found.matches == ()
    assert "out of order" in found.to_text()


def test_an_option_fixed_otherwise_is_said_unless_it_has_a_name_of_its_own() -> None:
    centered = functools.partial(torch.optim.RMSprop, centered=True)
    found = identify(centered)
    assert [m.name for m in found.matches] == ["rmsprop/torch"]
    assert "but with: centered = True" in found.to_text()
    assert named(functools.partial(torch.optim.Adam, amsgrad=True)) == ["amsgrad/torch"]


def test_a_subject_that_raises_once_its_groups_change_is_told_by_its_other_runs() -> None:
    """Torch's keeps the length of its history (conformance/findings), and says so by raising."""
    assert named(torch.optim.LBFGS, among=["lbfgs"]) == ["lbfgs/torch"]


def test_plain_data() -> None:
    found: Identification = identify(torch.optim.AdamW)
    data = json.loads(json.dumps(found.to_json()))
    assert data["matches"][0]["name"] == "adamw/torch"
    assert data["matches"][0]["hyperparameters"]["beta2"] == "betas[1]"
