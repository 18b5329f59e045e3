"""Slopes of a function of tensors: what autograd says of it, and what its values do.

Values are differenced over three distances on both sides. How far extrapolations from these are
apart, and what rounding adds, is the bound: a bend at the very place makes it wide.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch

Tensors = dict[str, torch.Tensor]
_DISTANCE = 2.0**-10
# More operations than a step has, each of which rounds.
_ROUNDING = 2.0**-53 * 128


@dataclass(frozen=True, slots=True)
class Slope:
    """How fast a weighted sum of what a function returns changes along one direction.

    Attributes:
        function: of tensors by name; what it returns has names as well.
        at: where.
        along: the direction, by name of what it changes.
        weights: of the sum, by name of what is returned.
    """

    function: Callable[[Tensors], Tensors]
    at: Tensors
    along: Tensors
    weights: Tensors

    def by_autograd(self) -> float:
        """What autograd says."""
        given = {k: v.clone().requires_grad_(k in self.along) for k, v in self.at.items()}
        with torch.enable_grad():
            total = self._total(self.function(given))
        if not total.requires_grad:
            return 0.0
        inputs = [given[k] for k in self.along]
        # Zeros where it knows of no connection.
        slopes = torch.autograd.grad(total, inputs, allow_unused=True, materialize_grads=True)
        pairs = zip(slopes, self.along.values(), strict=True)
        return sum(float((a * b).sum()) for a, b in pairs)

    def by_values(self) -> tuple[float, float]:
        """What the values say, and how well."""
        here, magnitude = self._sums(0.0)
        distances = [_DISTANCE / 2**k for k in range(3)]
        forth = [(self._sums(h)[0] - here) / h for h in distances]
        back = [(here - self._sums(-h)[0]) / h for h in distances]
        central = [(a + b) / 2 for a, b in zip(forth, back, strict=True)]
        found = extrapolated(central, 2)
        apart = abs(found - extrapolated(central[:2], 2))
        bend = abs(extrapolated(forth, 1) - extrapolated(back, 1))
        return found, apart + bend + _ROUNDING * magnitude / distances[-1]

    def _sums(self, distance: float) -> tuple[float, float]:
        """The weighted sum at a distance, and that of magnitudes."""
        moves = {k: distance * v for k, v in self.along.items()}
        moved = {k: v + moves[k] if k in moves else v.clone() for k, v in self.at.items()}
        with torch.no_grad():
            found = self.function(moved)
        magnitudes = {k: v.abs() for k, v in found.items()}
        return float(self._total(found)), float(self._total(magnitudes))

    def _total(self, found: Tensors) -> torch.Tensor:
        return torch.stack([(v * self.weights[k]).sum() for k, v in found.items()]).sum()


def extrapolated(values: Sequence[float], power: int) -> float:
    """Where values at halved distances lead, the error being a series in powers of one."""
    row, factor = list(values), 2.0**power
    for k in range(1, len(row)):
        weight = factor**k
        row = [(weight * b - a) / (weight - 1) for a, b in pairwise(row)]
    return row[0]
