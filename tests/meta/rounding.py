"""A number type that rounds at random, and runs of an algorithm in any number type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from instep.conformance.probes import Probe
from instep.conformance.profile import FloatType, Profile
from instep.spec.arithmetic import Arithmetic, Float64
from instep.spec.interpret import Interpreter
from instep.spec.model import Algorithm

Quantities = dict[tuple[str, int], Any]


class RandomRounding(Float64):
    """Rounds every result up or down by chance, by at most one unit roundoff of a profile.

    A grid with one bit more than the type has spacing of at most one unit, so that going to either
    neighbour is an error of at most one, and what is exact stays exact. Numbers without a shape are
    host numbers, so parameters must have one.

    Args:
        profile: where and how coarsely to round.
        seed: of the coin; -1 rounds everything down, -2 everything up.
    """

    def __init__(self, profile: Profile, seed: int) -> None:
        self.profile, self.seed = profile, seed
        self.generator = np.random.default_rng(max(seed, 0))

    def number(self, x: Any) -> Any:
        return x if isinstance(x, bool) else self._rounded(np.float64(float(x)), True)

    def fill(self, like: Any, x: Any) -> Any:
        return super().fill(like, self._rounded(x, False) if np.ndim(x) == 0 else x)

    def binary(self, op: str, a: Any, b: Any) -> Any:
        if op == "**" and np.ndim(a) == 0:
            return self._power(a, int(b))
        host = np.ndim(a) == 0 and np.ndim(b) == 0
        if not host:
            a, b = (self._rounded(x, False) if np.ndim(x) == 0 else x for x in (a, b))
        if op == "**":
            return self._rounded(a * a, False)
        return self._rounded(super().binary(op, np.float64(a) if host else a, b), host)

    def call(self, function: str, *arguments: Any) -> Any:
        host = all(np.ndim(x) == 0 for x in arguments)
        if not host:
            arguments = tuple(self._rounded(x, False) if np.ndim(x) == 0 else x for x in arguments)
        return self._rounded(super().call(function, *arguments), host)

    def store(self, x: Any, state: str) -> Any:
        kept = self.profile.kept_type(state)
        return x if kept is None else self._to(x, kept)

    def _power(self, a: Any, b: int) -> Any:
        """A product of b factors: as coarse as a power may be."""
        total = np.float64(1.0)
        for _ in range(b):
            total = self._rounded(total * a, True)
        return total

    def _rounded(self, x: Any, host: bool) -> Any:
        return self._to(x, self.profile.scalar if host else self.profile.compute)

    def _to(self, x: Any, kind: FloatType) -> Any:
        if kind.bits == 53:
            return x
        exponent = np.frexp(x)[1]
        smallest = int(np.log2(kind.tiny))
        quantum = np.ldexp(1.0, np.maximum(exponent - (kind.bits + 1), smallest))
        steps = np.divide(x, quantum)
        low = np.floor(steps)
        return np.where(steps == low, x, (low + self._coin(np.shape(x))) * quantum)[()]

    def _coin(self, shape: tuple[int, ...]) -> Any:
        if self.seed < 0:
            return np.full(shape, -1 - self.seed)
        return self.generator.integers(0, 2, shape)


def run(algorithm: Algorithm, arithmetic: Arithmetic, probe: Probe) -> Iterator[Quantities]:
    """After every step, parameters and states by (symbol, parameter index)."""
    interpreter = Interpreter(
        algorithm,
        arithmetic,
        probe.parameters,
        options=probe.options,
        hyperparameters=probe.hyperparameters,
    )
    for t, given in enumerate(probe.gradients, start=1):
        interpreter.set(probe.changes.get(t, {}))
        if probe.closure:
            interpreter.step(oracle=_Quadratic(arithmetic, probe, given))
        else:
            interpreter.step(given)
        yield {
            (name, i): value
            for i, slot in enumerate(interpreter.slots)
            for name, value in {"theta": slot.theta, **slot.state}.items()
        }


class _Quadratic:
    """Gradients of a closure-driven run, in the run's own number type."""

    def __init__(self, arithmetic: Arithmetic, probe: Probe, centres: Any) -> None:
        self.arithmetic, self.probe, self.centres = arithmetic, probe, centres

    def __call__(self, points: list[Any]) -> tuple[Any, list[Any]]:
        a = self.arithmetic
        away = [a.binary("-", x, a.tensor(c)) for x, c in zip(points, self.centres, strict=True)]
        slopes = [a.tensor(s) for s in self.probe.slopes]
        return None, [a.binary("*", s, d) for s, d in zip(slopes, away, strict=True)]
