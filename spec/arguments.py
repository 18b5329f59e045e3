"""What a user sets: hyperparameters and options, and how a constructor spells them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from instep.spec import ir
from instep.spec.errors import SpecError

OptionValue = str | bool
Spelling = str | bool | None
# Keywords of torch's constructors that say how a step runs, not what it computes.
RUN_KEYWORDS = ("foreach", "capturable", "differentiable", "fused")

_INTERVAL = re.compile(
    r"^(?P<integer>Z)?(?P<left>[\[(])(?P<lo>[^,]+),(?P<hi>[^\])]+)(?P<right>[\])])$"
)


@dataclass(frozen=True, slots=True)
class Domain:
    """An interval of allowed values; `Z[1,inf)` is one of integers."""

    lower: float
    upper: float
    lower_closed: bool
    upper_closed: bool
    integer: bool = False

    @classmethod
    def parse(cls, text: str) -> Domain:
        """Read `[0,1)`, `(0,inf)`, `Z[1,inf)`; raises SpecError for anything else."""
        found = _INTERVAL.match(text.replace(" ", ""))
        if found is None:
            raise SpecError(f"domain {text!r} is not an interval such as '[0,1)' or 'Z[1,inf)'")
        try:
            lower, upper = float(found["lo"]), float(found["hi"])
        except ValueError as error:
            raise SpecError(f"domain {text!r}: its ends must be numbers or inf") from error
        closed = found["left"] == "[", found["right"] == "]"
        if not (lower < upper or (lower == upper and all(closed))):
            raise SpecError(f"domain {text!r} holds no number")
        return cls(lower, upper, *closed, found["integer"] is not None)

    def contains(self, value: float) -> bool:
        """Whether a number lies in the interval; NaN never does."""
        above = value >= self.lower if self.lower_closed else value > self.lower
        below = value <= self.upper if self.upper_closed else value < self.upper
        return above and below and (not self.integer or float(value).is_integer())

    def __str__(self) -> str:
        left, right = "[" if self.lower_closed else "(", "]" if self.upper_closed else ")"

        def end(x: float) -> str:
            return repr(float(x)).removesuffix(".0")

        return f"{'Z' if self.integer else ''}{left}{end(self.lower)},{end(self.upper)}{right}"


REALS = Domain(-math.inf, math.inf, False, False)


class TypeEps(float):
    """The default "machine epsilon of the parameter's type", which constructors spell None.

    As a plain number it is that of float64.
    """

    def __new__(cls) -> TypeEps:
        """There is one such value."""
        return super().__new__(cls, 2.0**-52)

    def __repr__(self) -> str:
        return "eps of the parameter's type"


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """A number that the user sets: `name` in equations, `key` (and `index`) in the constructor.

    Where the constructor is given None, the number is `unset` of the other hyperparameters.
    """

    name: str
    key: str
    default: float | int
    index: int | None = None
    domain: Domain = REALS
    scope: Literal["group", "optimizer"] = "group"
    latex: str = ""
    aliases: tuple[str, ...] = ()
    probe: float | int | None = None
    description: str = ""
    required: bool = False
    unset: ir.Expr | None = None


@dataclass(frozen=True, slots=True)
class Argument:
    """How an option appears in the constructor: keyword, and its value for each option value.

    A value of None may stand for an option value that has a spelling of its own too.
    """

    key: str
    values: tuple[tuple[Spelling, OptionValue], ...]
    keyword_only: bool = False

    def option_value(self, value: object) -> OptionValue:
        """The option's value for a constructor value; raises SpecError when there is none."""
        for outer, inner in self.values:
            if outer == value and type(outer) is type(value):
                return inner
        raise SpecError(f"{self.key}={value!r} is none of {[v for v, _ in self.values]}")

    def expresses(self, option: OptionValue) -> bool:
        """Whether the constructor has a value for an option value."""
        return any(inner == option for _, inner in self.values)

    def constructor_value(self, option: OptionValue) -> Spelling:
        """The constructor's value for an option value, None when it cannot express it."""
        spelled = (outer for outer, inner in self.values if inner == option and outer is not None)
        return next(spelled, None)

    @property
    def unsaid(self) -> OptionValue | None:
        """The option value that the constructor's None stands for beside another spelling."""
        unsaid = (inner for outer, inner in self.values if outer is None)
        return next((inner for inner in unsaid if self.constructor_value(inner) is not None), None)


@dataclass(frozen=True, slots=True)
class Option:
    """A static switch; `argument` says how the constructor of the default class spells it."""

    name: str
    values: tuple[OptionValue, ...]
    default: OptionValue
    argument: Argument | None = None
    description: str = ""
