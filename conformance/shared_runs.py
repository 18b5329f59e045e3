"""Runs that several specifications ask for alike are made once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from instep.conformance.errors import SubjectError
from instep.conformance.observe import Recording
from instep.conformance.probes import Probe
from instep.conformance.subject import Subject, UnsupportedError, run


class SharedRuns:
    """Recordings of one subject, by what it was given: its keywords, the numbers, the changes.

    What the symbols of a specification are called makes no other run. Probes whose groups differ
    are not shared.
    """

    def __init__(self) -> None:
        self._kept: dict[Any, Recording | Exception] = {}

    def __call__(self, subject: Subject, probe: Probe) -> Recording:
        """The run of `instep.conformance.subject.run`, which is made if there is none like it."""
        if probe.groups:
            return run(subject, probe)
        key = tuple(_given(subject, probe))
        if key not in self._kept:
            try:
                self._kept[key] = run(subject, probe)
            except (SubjectError, UnsupportedError) as error:
                self._kept[key] = error
        kept = self._kept[key]
        if isinstance(kept, Exception):
            raise kept
        return replace(kept, probe=probe)


def _given(subject: Subject, probe: Probe) -> Iterator[Any]:
    arguments = subject.arguments(probe.hyperparameters, probe.options)
    yield repr(sorted(arguments.items()))
    yield (subject.requires_grad, subject.primed, subject.algorithm.result)
    yield (probe.dtype, probe.closure, probe.landscape, probe.complex)
    yield from map(_number, probe.parameters)
    for parts in (*probe.gradients, probe.slopes, *probe.touched):
        yield tuple(map(_number, parts))
    for step, values in sorted(probe.changes.items()):
        yield (step, *sorted((_entry(subject, symbol), v) for symbol, v in values.items()))


def _entry(subject: Subject, symbol: str) -> tuple[str, str]:
    """Where a change of a hyperparameter goes, as far as the constructor tells."""
    keyword = subject.naming.hyperparameters.get(symbol)
    if keyword is None:
        return symbol, subject.algorithm.hyperparameter(symbol).key
    return keyword.name, str(keyword.index)


def _number(x: Any) -> Any:
    return None if x is None else (np.shape(x), np.asarray(x).tobytes())
