"""What the lanes of a probe's parameters and gradients hold, so that a bug moves some of them far.

Gradients span many powers of two so that roots cross eps, parameters include zeros so that updates
do not vanish beside them, and magnitudes rise and fall.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from instep.conformance.norms import exact

SEED = 20210526


def data(
    shapes: Sequence[tuple[int, ...]],
    steps: int,
    dtype: str,
    *,
    calm: bool = False,
    mixed: bool = False,
) -> tuple[tuple[Any, ...], tuple[tuple[Any, ...], ...]]:
    """Parameters, and gradients per step; the same for the same arguments, whatever ran before.

    Where matrix products mix the lanes of a tensor, small ones would vanish beside large ones; then
    every tensor has a scale of its own.
    """
    rng = np.random.default_rng(SEED)
    sizes = [int(np.prod(shape, dtype=np.int64)) for shape in shapes]
    total = sum(sizes)
    splits = np.cumsum(sizes)[:-1]

    def apart(flat: Any) -> tuple[Any, ...]:
        parts = np.split(exact(flat, dtype), splits)
        return tuple(x.reshape(shape) for x, shape in zip(parts, shapes, strict=True))

    parameters = apart(_parameter_lanes(rng, total))
    tensor = np.repeat(np.arange(len(sizes)), sizes) if mixed else None
    history = _gradient_lanes(rng, total, steps, dtype, calm, tensor)
    return parameters, tuple(apart(g) for g in history)


def touched_lanes(
    shapes: Sequence[tuple[int, ...]], steps: int, *, calm: bool = False
) -> tuple[tuple[Any, ...], ...]:
    """Per step, the lanes that sparse gradients name: some rows, at times none; calm ones all.

    Every third parameter has lanes of its own named, the others whole rows, as embeddings do.
    """
    rng = np.random.default_rng(SEED + 2)

    def one(shape: tuple[int, ...], t: int, k: int) -> Any:
        by_lane = k % 3 == 2 or len(shape) < 2
        chosen = rng.random(shape if by_lane else (shape[0], *[1] * (len(shape) - 1)))
        return chosen < (1.0 if calm else 0.0 if (t + k) % 5 == 3 else 0.7)

    return tuple(tuple(one(s, t, k) for k, s in enumerate(shapes)) for t in range(steps))


def masked(
    gradients: tuple[tuple[Any, ...], ...], touched: tuple[tuple[Any, ...], ...]
) -> tuple[tuple[Any, ...], ...]:
    """Gradients that are zero on the lanes that they do not name."""
    pairs = zip(gradients, touched, strict=True)
    return tuple(
        tuple(np.where(m, g, 0.0) for g, m in zip(given, named, strict=True))
        for given, named in pairs
    )


def valley_data(
    shapes: Sequence[tuple[int, ...]], steps: int, dtype: str
) -> tuple[tuple[Any, ...], tuple[tuple[Any, ...], ...]]:
    """Parameters, and centres that are the same in every step: a landscape to descend into."""
    rng = np.random.default_rng(SEED)
    start = tuple(exact(rng.uniform(-1, 1, shape), dtype) for shape in shapes)
    centres = tuple(exact(rng.uniform(-1, 1, shape), dtype) for shape in shapes)
    return start, (centres,) * steps


def _parameter_lanes(rng: np.random.Generator, total: int) -> Any:
    """A quarter zeros, a quarter near the size of an update, the rest around one."""
    lane = rng.permutation(total) % 4
    exponent = np.where(lane == 1, rng.integers(-12, -4, total), rng.integers(-3, 3, total))
    return np.where(lane == 0, 0.0, np.ldexp(rng.uniform(1, 2, total), exponent)) * _signs(
        rng, total
    )


def _gradient_lanes(
    rng: np.random.Generator, total: int, steps: int, dtype: str, calm: bool, tensor: Any
) -> list[Any]:
    """Scales over many powers of two; histories: random, one sign, rising, falling, pauses."""
    low, high = (-10, 3) if dtype == "float16" else (-30, 7)
    scale = rng.integers(low, high, total)
    if tensor is not None:
        scale = scale % 3 + np.array([high - 8, low + 2, (low + high) // 2])[tensor % 3]
    kind = rng.permutation(total) % (4 if calm else 8)
    one_sign = _signs(rng, total)
    out = []
    for t in range(steps):
        trend = np.where(kind == 2, t // 2, np.where(kind == 3, -t, 0))
        size = np.ldexp(rng.uniform(1, 2, total), np.clip(scale + trend, low - 8, high + 8))
        sign = np.where((kind == 1) | (kind == 2), one_sign, _signs(rng, total))
        pause = ((kind == 4) & (t % 3 == 1)) | ((kind == 5) & (t < 2)) | ((kind == 6) & (t > 6))
        out.append(np.where(pause, 0.0, sign * size))
    return out


def _signs(rng: np.random.Generator, total: int) -> Any:
    return rng.integers(0, 2, total) * 2.0 - 1.0


def slopes_of(parameter: Any, dtype: str) -> Any:
    """Curvatures of the landscape of a closure-driven run: powers of two, exact in every type."""
    rng = np.random.default_rng(SEED + 1)
    return exact(np.ldexp(1.0, rng.integers(-4, 2, np.shape(parameter))), dtype)
