"""A run on which two programs differ, as data: exact inputs, 50-digit outputs."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np

from instep.spec.algebra.numeric import DIGITS, lanes
from instep.spec.algebra.scenario import Exact, Scenario


@dataclass(frozen=True, slots=True)
class Counterexample:
    """Inputs up to the first step that differs, and the two values of the quantity that does.

    `relative` is |a - b| over the larger magnitude. `undefined_in` names the program that has no
    value there (a division by zero, say) while the other one has; then there are no two values.
    """

    scenario: Scenario
    step: int
    quantity: str
    a: str = ""
    b: str = ""
    relative: float = 0.0
    undefined_in: str = ""

    def to_text(self, width: int = 80) -> str:
        """The inputs and both values, a line each."""
        lines = [f"{k} = {v}" for k, v in self._inputs()]
        if self.undefined_in:
            lines.append(f"step {self.step}: {self.undefined_in} has no value, the other one has")
        else:
            shown = max(min(DIGITS, width - 12), 8)
            lines += [f"step {self.step}: {self.quantity}, {self.relative:.3g} apart relatively"]
            lines += [f"  a: {_shortened(self.a, shown)}", f"  b: {_shortened(self.b, shown)}"]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Plain data; numbers are exact fractions or 50 digits, as text."""
        return {
            "inputs": dict(self._inputs()),
            "step": self.step,
            "quantity": self.quantity,
            "a": self.a,
            "b": self.b,
            "relative": self.relative,
            "undefined_in": self.undefined_in or None,
        }

    def _inputs(self) -> list[tuple[str, str]]:
        moments = self.scenario.moments
        out = [("theta", _exact(self.scenario.theta))]
        for name in moments[0].hyperparameters:
            values = [_exact(m.hyperparameters[name]) for m in moments]
            out.append((name, values[0] if len(set(values)) == 1 else ", ".join(values)))
        levels = ", ".join(_exact(m.level) if m.has_gradient else "none" for m in moments)
        if not any(lane for m in moments for lane in lanes(m.slope)):
            return [*out, ("gradient", levels)]
        slopes = ", ".join(_exact(m.slope) for m in moments)
        return [
            *out,
            ("gradient at x", "level + slope*x/(1 + x**2)"),
            ("level", levels),
            ("slope", slopes),
        ]


def _exact(value: Exact) -> str:
    match value:
        case Fraction():
            # Defaults such as 0.001 are the double of that name, exactly.
            same = Fraction(float(value)) == value
            return min(str(value), repr(float(value)), key=len) if same else str(value)
        case np.ndarray():
            return "[" + ", ".join(_exact(x) for x in value) + "]"
        case tuple():
            return "(" + ", ".join(map(_exact, value)) + ")"
    return str(value)


def _shortened(number: str, length: int) -> str:
    """A number of at most so many characters; the exponent stays."""
    digits, e, exponent = number.partition("e")
    return digits[: length - len(e + exponent)] + e + exponent


def decimal(x: Any) -> str:
    """A number with all its digits."""
    return str(mpmath.nstr(x, DIGITS, min_fixed=-3, max_fixed=9))
