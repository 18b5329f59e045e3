"""Released optimizers get the verdict that they deserve: torch's own, and others from PyPI."""

from __future__ import annotations

import functools
import runpy
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import optimi
import pytest
import torch

from instep.conformance import findings
from instep.conformance.quiet import quiet
from instep.conformance.report.model import Report
from instep.conformance.suite import check

FINDINGS = sorted(Path(findings.__path__[0]).glob("[a-z]*.py"))

TORCH = {
    "sgd": torch.optim.SGD,
    "nesterov": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "amsgrad": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}
IMPLEMENTATIONS: dict[str, dict[str, bool]] = {
    "loop": {"foreach": False},
    "foreach": {"foreach": True},
    "fused": {"fused": True},
    "differentiable": {"differentiable": True},
}
# Found by this suite; conformance/findings holds a script for each.
FUSED = {f"tensors/{layout}" for layout in ("transposed", "channels-last", "slices")}
FUSED_SGD = {"precision/bfloat16", "precision/float16", "gradients/none"}
FOREACH_NESTEROV = {"gradients/untouched"}
NARROW = ("bfloat16", "float16")


def failed(report: Report, level: str = "must") -> set[str]:
    """Names of the failed and errored checks of a level."""
    return {r.id.split("/", 1)[1] for r in report.failures if r.level == level}


# The names that share a class with another: what is their own shows in one implementation.
SHARED = [("nesterov", "foreach"), ("amsgrad", "fused")]


def combinations() -> Iterator[object]:
    """Every name in every implementation; of those that share a class some are slow."""
    for spec, implementation in product(TORCH, IMPLEMENTATIONS):
        chosen = spec in ("sgd", "adam", "adamw") or (spec, implementation) in SHARED
        yield pytest.param(spec, implementation, marks=() if chosen else pytest.mark.slow)


@pytest.mark.parametrize(("spec", "implementation"), list(combinations()))
def test_torch(spec: str, implementation: str) -> None:
    subject = functools.partial(TORCH[spec], **IMPLEMENTATIONS[implementation])
    report = check(subject, spec, level="full", implementations=False)
    wrong = TORCH[spec] is torch.optim.SGD and implementation == "fused"
    defects = FUSED_SGD if wrong else set()
    if implementation == "fused":
        defects = defects | FUSED
    if (spec, implementation) == ("nesterov", "foreach"):
        defects = FOREACH_NESTEROV
    assert failed(report) == defects
    accuracy = {f"precision/{t}-accuracy" for t in NARROW}
    assert failed(report, "should") == (accuracy if wrong else set())
    assert set(report.grades) == {"float64", "float32", *NARROW}
    for dtype in ("float64", "float32"):
        assert report.grades[dtype] != ""
    assert report.coverage.ran >= 30


def test_the_fused_kernels_of_adam_compute_in_float32_inside() -> None:
    """The grade tells a fused kernel from an operation-by-operation one."""
    fused = check(functools.partial(torch.optim.Adam, fused=True), "adam")
    loop = check(functools.partial(torch.optim.Adam, foreach=False), "adam")
    assert fused.grades["bfloat16"] == "bfloat16 stored, float32 inside"
    assert loop.grades["bfloat16"] == "bfloat16 throughout, scalars in float64"


def test_flags_of_the_constructor_are_judged_too() -> None:
    report = check(torch.optim.SGD, "sgd", implementations=True)
    status = {r.id.split("/", 1)[1]: r.status for r in report.results}
    assert status["implementations/foreach"] == "passed"
    assert status["implementations/fused"] == "failed"
    assert not report.ok


@pytest.mark.parametrize(
    ("spec", "dialect"),
    [("adam", "adam/eps-hat"), ("adamw", "adamw/decay-after"), ("sgd", "sgd/classical")],
)
def test_torch_is_out_of_step_with_other_dialects(spec: str, dialect: str) -> None:
    report = check(TORCH[spec], dialect)
    assert not report.ok
    assert report.diagnosis is not None
    own = {"adam": "adam/paper", "adamw": "adamw/torch", "sgd": "sgd/torch"}[spec]
    assert own in [c.name for c in report.diagnosis.candidates]


def test_optimi_sgd_writes_to_its_gradients() -> None:
    report = check(optimi.SGD, "sgd")
    assert failed(report) == {"gradients/untouched"}
    assert any("dampening is a switch" in note for note in report.mapping)


def test_optimi_adam() -> None:
    """It keeps corrected moments, which is no fault; two other things are."""
    report = check(optimi.Adam, "adam")
    assert failed(report) == {"gradients/none", "gradients/untouched"}
    changes = {f"hyperparameters/beta{k}-changed" for k in (1, 2)}
    assert changes <= failed(report, "should")
    assert any("times 1/(1 - beta1^t)" in note for note in report.mapping)


def test_optimi_adamw_leaves_its_gradients_alone() -> None:
    report = check(optimi.AdamW, "adamw")
    assert "gradients/untouched" not in failed(report)
    assert "gradients/none" in failed(report)


@pytest.mark.parametrize("script", FINDINGS, ids=lambda path: path.stem)
def test_finding_still_reproduces(script: Path) -> None:
    with pytest.raises(AssertionError), quiet():
        runpy.run_path(str(script), run_name="__main__")


@pytest.mark.parametrize("script", FINDINGS, ids=lambda path: path.stem)
def test_finding_says_what_it_must(script: Path) -> None:
    text = script.read_text()
    for heading in ("Package:", "Found by:", "Requirement:", "Observed:"):
        assert heading in text


def test_reproduction_runs_alone(tmp_path: Path) -> None:
    report = check(torch.optim.Adam, "adam/eps-hat")
    script = tmp_path / "repro.py"
    script.write_text(report.reproduction)
    assert "instep" not in report.reproduction
    with pytest.raises(AssertionError):
        runpy.run_path(str(script))
