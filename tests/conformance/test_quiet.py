"""What a subject warns of does not decide about it, even where warnings are errors, as here."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch

from instep.conformance.quiet import quiet
from instep.conformance.suite import check


class Talkative(torch.optim.SGD):
    """Torch's, with much to say."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        warnings.warn("soon to be removed", DeprecationWarning, stacklevel=2)
        super().__init__(*arguments, **keywords)

    def step(self, closure: Any = None) -> Any:
        warnings.warn("slow", UserWarning, stacklevel=2)
        return super().step(closure)


def test_warnings_are_errors_outside() -> None:
    with pytest.raises(UserWarning):
        warnings.warn("here", UserWarning, stacklevel=1)
    with quiet():
        warnings.warn("here", UserWarning, stacklevel=1)


def test_a_subject_may_warn() -> None:
    report = check(Talkative, "sgd")
    assert report.ok, report.to_text()
    assert report.coverage.ran > 30
