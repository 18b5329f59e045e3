"""Which dialects a test is run on: a deterministic sample always, all of them when asked for.

What every name means by default is always tried, or where that is dear one in two or three. The
other dialects share most of their equations with it, and every one of them is compared with an
independent source in each run; the rest waits for `make test-slow`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

import pytest

from instep import spec

Case = TypeVar("Case")
BY_DEFAULT = frozenset(spec.get(name).full_name for name in spec.names())


def each_dialect(without: Collection[str] = (), share: int = 1) -> list[object]:
    """Dialects as parameters of a test.

    Those that no name means by default are slow; of the others one in `share` is not.
    """
    always = {d for k, d in enumerate(sorted(BY_DEFAULT)) if k % share == 0}
    return [
        d if d in always else pytest.param(d, marks=pytest.mark.slow)
        for d in spec.dialects()
        if d not in without
    ]


def one_in(share: int, cases: Sequence[Case], name: Callable[[Case], str]) -> list[object]:
    """Cases as parameters of a test; all but one in `share` are slow."""
    return [
        pytest.param(case, id=name(case), marks=() if k % share == 0 else pytest.mark.slow)
        for k, case in enumerate(cases)
    ]
