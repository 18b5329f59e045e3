"""Tensors that probes have besides where norms, sums and means of whole tensors count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from instep.spec import ir
from instep.spec.model import Algorithm
from instep.spec.scope import Scope, infer

# Norms and means of whole tensors show their corners only where all lanes are zero, small or alike
# at once: a matrix that starts at zero under a small slope, and a vector without any in two steps.
# The matrix is square: which way round it is taken must not matter there.
STILL = ((4, 4), (5,))
# Among lanes that are far apart a norm is the largest one, and all cosines are those of two lanes.
# So two matrices of lanes alike: their shapes, the exponents of lanes and of the largest gradients,
# and after how many steps, each by half smaller, gradients are large again.
ALIKE = (((6, 4), -2, -2, 4), ((2, 8), -4, 1, 6))

Parameters = tuple[Any, ...]
Gradients = tuple[Parameters, ...]


def exact(x: Any, dtype: str) -> Any:
    """A float64 array rounded to a narrower type."""
    return torch.as_tensor(x).to(getattr(torch, dtype)).to(torch.float64).numpy()


def decide(algorithm: Algorithm, body: ir.Body) -> bool:
    """Whether a norm or sum that passes a limit other than 0 makes a step jump."""
    scopes = infer(algorithm, body)
    compared = (
        n
        for choice in ir.nodes(body)
        if isinstance(choice, ir.Where)
        for n in ir.walk(choice.condition)
        if isinstance(n, ir.Compare)
    )
    return any(scopes.of(n) is Scope.REDUCED and n.right != ir.Const(0) for n in compared)


def still(parameters: Parameters, gradients: Gradients) -> tuple[Parameters, Gradients]:
    """The last but one parameter at zero, with small gradients; the last one without at first.

    The gradients of either are of one size.
    """
    *rest, matrix, vector = parameters
    out = []
    for t, (*others, small, flat) in enumerate(gradients):
        sizes = np.ldexp(np.frexp(small)[0], -6), np.frexp(flat)[0] * (t >= 2)
        out.append((*others, *sizes))
    return (*rest, np.zeros_like(matrix), vector), tuple(out)


def alike(
    shapes: Sequence[tuple[int, ...]], steps: int, dtype: str, seed: int
) -> tuple[Parameters, Gradients]:
    """Further parameters, each with lanes of one size, and so its gradients in every step."""
    parameters, gradients = [], []
    for k, (shape, (_, exponent, largest, period)) in enumerate(zip(shapes, ALIKE, strict=True)):
        rng = np.random.default_rng(seed + k)
        parameters.append(_lanes(rng, shape, exponent, dtype))
        sizes = (largest - t % period for t in range(steps))
        gradients.append([_lanes(rng, shape, size, dtype) for size in sizes])
    return tuple(parameters), tuple(zip(*gradients, strict=True))


def _lanes(rng: np.random.Generator, shape: tuple[int, ...], exponent: int, dtype: str) -> Any:
    size = np.ldexp(rng.uniform(1, 2, shape), exponent)
    return exact(size * (rng.integers(0, 2, shape) * 2.0 - 1.0), dtype)
