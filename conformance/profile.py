"""Precision profiles: the roundings that a correct implementation may make.

A profile is fixed before the first comparison, from the types that are declared or observed. The
verdict uses the loosest admissible one (host scalars in float32 at least, computation in the
parameter's type at least); the strictest one that fits is reported as a grade.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class FloatType:
    """A floating-point format: significant bits, smallest subnormal, largest finite number."""

    name: str
    bits: int
    tiny: float
    largest: float

    @property
    def unit(self) -> float:
        """Unit roundoff, half the distance from 1 to the next number."""
        return 2.0**-self.bits


FLOAT_TYPES = {
    t.name: t
    for t in (
        FloatType("float64", 53, 2.0**-1074, 1.7976931348623157e308),
        FloatType("float32", 24, 2.0**-149, 3.4028234663852886e38),
        FloatType("bfloat16", 8, 2.0**-133, 3.3895313892515355e38),
        FloatType("float16", 11, 2.0**-24, 65504.0),
    )
}
ORDER = ("float64", "float32", "bfloat16", "float16")


@dataclass(frozen=True, slots=True)
class Profile:
    """Where a correct implementation rounds, and how coarsely.

    Attributes:
        name: how a report calls it.
        compute: type in which tensors are computed.
        scalar: type of host scalars (hyperparameters, bias corrections).
        kept: type in which parameters and states are kept, where it is narrower than `compute`.
        states: the same for single states, by symbol.
        blocks: types of the spec's blocks of equations that are computed in a narrower one.
        flush: whether subnormal results become zero.
    """

    name: str
    compute: FloatType
    scalar: FloatType
    kept: FloatType | None = None
    states: Mapping[str, FloatType] = field(default_factory=dict)
    flush: bool = False
    blocks: Mapping[str, FloatType] = field(default_factory=dict)

    def of_block(self, name: str) -> Profile:
        """The profile of the equations of a block; itself where that is no narrower.

        Nobody saw how much of a block is computed there: numbers must fit the tensor's type too.
        """
        kind = self.blocks.get(name)
        if kind is None or kind.bits >= self.compute.bits:
            return self
        tiny, largest = max(kind.tiny, self.compute.tiny), min(kind.largest, self.compute.largest)
        return replace(self, compute=replace(kind, tiny=tiny, largest=largest))

    def coarser(self, factor: int) -> Profile:
        """The same with blocks of such a multiple of their unit roundoff, a power of two."""
        less = factor.bit_length() - 1
        blocks = {name: replace(t, bits=t.bits - less) for name, t in self.blocks.items()}
        return replace(self, blocks=blocks)

    @property
    def unit(self) -> float:
        """Unit roundoff of tensor operations, the float64 oracle's own included."""
        return _with_oracle(self.compute)

    @property
    def scalar_unit(self) -> float:
        """Unit roundoff of host operations."""
        return _with_oracle(self.scalar)

    @property
    def eta(self) -> float:
        """What a product or quotient may lose by underflow."""
        return (
            self.compute.tiny * 2.0 ** (self.compute.bits - 1) if self.flush else self.compute.tiny
        )

    def kept_type(self, name: str) -> FloatType | None:
        """The type that keeping a value rounds it to once more, None where it does not."""
        kept = self.states.get(name, self.kept)
        return kept if kept is not None and kept.bits < self.compute.bits else None


def _with_oracle(t: FloatType) -> float:
    """The oracle computes in float64: where the subject does too, both round."""
    return 2.0**-52 if t.bits == 53 else t.unit


def grades(
    dtype: str,
    *,
    states: Mapping[str, FloatType] | None = None,
    blocks: Mapping[str, FloatType] | None = None,
    flush: bool = False,
) -> list[Profile]:
    """Admissible profiles for parameters of a type, strictest first; the last one is the verdict's.

    Args:
        dtype: type of the parameters.
        states: types in which states are kept, where they were declared or observed to be narrower.
        blocks: types in which blocks of equations are computed, where they may be narrower.
        flush: whether the machine flushes subnormals.
    """
    own, wide, single = FLOAT_TYPES[dtype], FLOAT_TYPES["float64"], FLOAT_TYPES["float32"]
    kept = states or {}

    def profile(what: str, compute: FloatType, scalar: FloatType, stored: Any = None) -> Profile:
        narrow = {k: t for k, t in (blocks or {}).items() if t.bits < compute.bits}
        name = ", ".join([what, *(f"{k} in {t.name}" for k, t in narrow.items())])
        return Profile(name, compute, scalar, stored, kept, flush, narrow)

    ladder = [
        profile(f"{dtype} throughout, scalars in float64", own, wide),
        profile(f"{dtype} throughout, scalars in float32", own, single),
    ]
    if own.bits < single.bits:
        ladder.insert(0, profile(f"{dtype} stored, float32 inside", single, wide, own))
    return ladder
