"""Runs of an algorithm in any number type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from instep.conformance.oracle import Model, Oracle
from instep.conformance.probes import Probe
from instep.conformance.profile import grades
from instep.spec.arithmetic import Arithmetic
from instep.spec.model import Algorithm

Quantities = dict[tuple[str, int], Any]


def run(algorithm: Algorithm, arithmetic: Arithmetic, probe: Probe) -> Iterator[Quantities]:
    """After every step, parameters and states by (symbol, parameter index)."""
    oracle = Oracle(Model(algorithm), probe, grades(probe.dtype)[0], arithmetic)
    for t in range(1, probe.steps + 1):
        oracle.step(t)
        yield {
            (name, i): value
            for i, slot in enumerate(oracle.interpreter.slots)
            for name, value in {"theta": slot.theta, **slot.state}.items()
        }
