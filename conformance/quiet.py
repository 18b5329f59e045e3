"""Subjects run without their warnings."""

from __future__ import annotations

import warnings
from typing import Any


class quiet(warnings.catch_warnings):  # noqa: N801 - used like the function it stands for
    """A block in which nothing is warned of.

    Where warnings are errors, as in many a test suite, what a subject warns of would else decide
    its verdict.
    """

    def __enter__(self) -> Any:
        """Enter, and ignore all."""
        entered = super().__enter__()
        warnings.simplefilter("ignore")
        return entered
