"""Canonical fractions as a domain of the executor: what functions and conditions mean there."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import sympy

from instep.spec import ir
from instep.spec.algebra import powers
from instep.spec.algebra.cases import Context
from instep.spec.algebra.execute import UndefinedError, UnsupportedError
from instep.spec.algebra.ratios import Generator, Poly, Ratio, Ring
from instep.spec.algebra.reductions import reduction
from instep.spec.arguments import REALS, Domain
from instep.spec.model import State

NONNEGATIVE_REALS = Domain(0.0, float("inf"), True, False)
_UNIT = Domain(0.0, 1.0, True, True)
_ABOUT_PI = Domain(3.0, 4.0, False, False)
_SHAPE_COUNTS = Domain(0.0, float("inf"), True, False, True)


@dataclass(frozen=True, slots=True)
class Test:
    """`value op 0`."""

    op: str
    value: Ratio


@dataclass(frozen=True, slots=True)
class Formula:
    """and, or, not of conditions."""

    op: str
    parts: tuple[Condition, ...]


Condition = Test | Formula


@dataclass
class NormalDomain:
    """Values are canonical fractions.

    Branches, and choices on numbers that are the same in all lanes, are decided by case
    distinction. Choices lane by lane are first kept as indicators (0 or 1); with `split_lanes` they
    too become cases, for one typical lane, and then nothing that mixes lanes is allowed.

    `divisors` and `radicands` collect what must not vanish, and not be negative, for the step to be
    defined.
    """

    context: Context
    split_lanes: bool = False
    divisors: set[Poly] = field(default_factory=set)
    radicands: set[Poly] = field(default_factory=set)
    rules: dict[str, None] = field(default_factory=dict)

    @property
    def ring(self) -> Ring:
        """The generators and their arithmetic."""
        return self.context.ring

    def leaf(self, key: Hashable, label: sympy.Expr, **about: Any) -> Ratio:
        """A symbol, or the number that this case fixes it to."""
        return self.value_of(self.ring.generator(key, label, **about))

    def value_of(self, generator: Generator) -> Ratio:
        """A generator's value in this case."""
        fixed = self.context.facts.values.get(generator.index)
        return self.ring.variable(generator) if fixed is None else self.ring.constant(fixed)

    # Arithmetic

    def constant(self, value: ir.Number) -> Ratio:
        """The number as a fraction; of infinity only its sign is known."""
        if value in (math.inf, -math.inf):
            infinity = self.leaf(
                ("infinity",), sympy.oo, domain=Domain(0.0, math.inf, False, False)
            )
            return infinity if value > 0 else self.negate(infinity)
        return self.ring.constant(value)

    def binary(self, op: str, a: Ratio, b: Ratio) -> Ratio:
        """The operation on canonical forms."""
        match op:
            case "+":
                return self.ring.add(a, b)
            case "-":
                return self.ring.subtract(a, b)
            case "*":
                return self.ring.multiply(a, b)
            case "/":
                return self.ring.multiply(a, self.inverse(b))
            case "**":
                return powers.power(self, a, b)
        return self.opaque(op, (a, b))

    def inverse(self, x: Ratio) -> Ratio:
        """1/x; records the factors that might vanish."""
        for f, _ in self.ring.factors(x.numerator)[1] if x.numerator else ():
            signs = self.context.signs_of_factor(f)
            if signs == {0}:
                raise UndefinedError("a division by zero")
            if 0 in signs:
                self.divisors.add(f)
        return self.ring.inverse(x)

    def negate(self, a: Ratio) -> Ratio:
        """Minus a."""
        return self.ring.negate(a)

    def call(self, function: str, arguments: tuple[Ratio, ...]) -> Ratio:
        """The function, taken apart as far as signs allow."""
        match function, arguments:
            case "sqrt", (x,):
                return powers.root(self, x, 2)
            case "abs", (x,):
                twice = self.ring.multiply(self.ring.constant(2), self.positive_part(x))
                return self.ring.subtract(twice, x)
            case "max", (x, y):
                return self.ring.add(y, self.positive_part(self.ring.subtract(x, y)))
            case "min", (x, y):
                return self.ring.subtract(x, self.positive_part(self.ring.subtract(x, y)))
            case "sign", (x,):
                return self._sign(x)
            case _ if function in ir.SHAPE_FUNCTIONS:
                return self._shape(function, arguments[0])
            case "exp", (x,):
                return self.opaque(function, (x,), Domain(0.0, float("inf"), False, False))
            case "pi", ():
                return self.leaf(("pi",), sympy.pi, domain=_ABOUT_PI)
            case "cos", (x,):
                return self._cosine(x)
        return self.opaque(function, arguments)

    def _cosine(self, x: Ratio) -> Ratio:
        """1 at 0 and -1 at pi, else opaque."""
        if x.key == self.ring.constant(0).key:
            return self.ring.constant(1)
        if x.key == self.call("pi", ()).key:
            return self.ring.constant(-1)
        return self.opaque("cos", (x,), Domain(-1.0, 1.0, True, True))

    def _shape(self, function: str, x: Ratio) -> Ratio:
        """A shape query; what is made of the parameter lane by lane has its shape."""
        like = ir.THETA if any(g.like for g in self.ring.generators_of(x)) else x.key
        label = sympy.Symbol(f"{function}({self.ring.to_sympy(x)})", integer=True, nonnegative=True)
        return self.leaf(("shape", function, like), label, domain=_SHAPE_COUNTS)

    def opaque(self, function: str, arguments: tuple[Ratio, ...], domain: Domain = REALS) -> Ratio:
        """A function of which only this is known: equal arguments give equal values."""
        labels = [self.ring.to_sympy(x) for x in arguments]
        generator = self.ring.generator(
            (function, *(x.key for x in arguments)),
            sympy.Function(_FUNCTION_NAMES.get(function, function))(*labels),
            domain=domain,
            **self.about(arguments),
        )
        return self.value_of(generator)

    def about(self, arguments: Iterable[Ratio]) -> dict[str, Any]:
        """What a value made of these lane by lane inherits."""
        made_of = [g for x in arguments for g in self.ring.generators_of(x)]
        return {
            "lanes": any(g.lanes for g in made_of),
            "leaves": frozenset().union(*(g.leaves for g in made_of)),
            "like": any(g.like for g in made_of),
        }

    # What mixes lanes

    def reduce(self, op: str, over: ir.Axis, a: Ratio) -> Ratio:
        """The reduction, term by term where it is linear."""
        self._all_lanes(f"{op} over {over}")
        return reduction(self, op, over, a)

    def matmul(self, a: Ratio, b: Ratio) -> Ratio:
        """The product as an opaque tensor."""
        self._all_lanes("a matrix product")
        return self._matrix("matmul", (a, b))

    def transpose(self, a: Ratio) -> Ratio:
        """The transpose as an opaque tensor."""
        self._all_lanes("a transpose")
        return self._matrix("transpose", (a,))

    def _matrix(self, function: str, arguments: tuple[Ratio, ...]) -> Ratio:
        labels = [self.ring.to_sympy(x) for x in arguments]
        about = self.about(arguments) | {"lanes": True, "like": function == "grad"}
        key = (function, *(x.key for x in arguments))
        return self.value_of(self.ring.generator(key, sympy.Function(function)(*labels), **about))

    def gradient(self, at: Ratio) -> Ratio:
        """One variable for each point."""
        if self._is_start(at):
            about = self.about((at,))
            return self.leaf(("grad", at.key), sympy.Symbol("g", real=True), **about)
        self._all_lanes("a gradient away from the stored point")
        return self._matrix("grad", (at,))

    def loss(self, at: Ratio) -> Ratio:
        """One variable for each point."""
        if not self._is_start(at):
            self._all_lanes("a loss away from the stored point")
        return self.opaque("loss", (at,))

    def _is_start(self, at: Ratio) -> bool:
        start = self.ring.keys.get(("stored", ir.THETA))
        return start is not None and at == self.ring.variable(start)

    def _all_lanes(self, what: str) -> None:
        """A case that speaks of one typical lane says nothing about the others."""
        if self.context.facts.lanes:
            raise UnsupportedError(f"{what} in a case that holds for one lane only")

    def integer(self, a: Ratio) -> int:
        """The value of a literal."""
        number = exact(a)
        if number is None or number.denominator != 1:
            raise UnsupportedError("a number of rounds that is no literal")
        return int(number)

    def expand(self, state: State, value: Ratio, theta: Ratio) -> Ratio:
        """The value: one typical lane stands for all."""
        return value

    # Conditions

    def compare(self, op: str, a: Ratio, b: Ratio) -> Condition:
        """The sign of the difference, as a condition."""
        return Test(op, self.ring.subtract(a, b))

    def touched(self) -> Condition:
        """A free 0 or 1 for each lane; that the gradient is 0 where it is 0 is not made use of."""
        label = sympy.Symbol("touched", nonnegative=True)
        return Test(">", self.leaf(("touched",), label, domain=_UNIT, lanes=True))

    def logic(self, op: str, operands: tuple[Condition, ...]) -> Condition:
        """The connective of conditions."""
        return Formula(op, operands)

    def truth(self, condition: Condition) -> bool:
        """The answer in this case; asks for a finer distinction where there is none."""
        match condition:
            case Test(op, value):
                return bool(_HOLDS[op](self.context.sign(value)))
            case Formula("not", (part,)):
                return not self.truth(part)
            case Formula("and", parts):
                return all(self.truth(part) for part in parts)
            case Formula(_, parts):
                return any(self.truth(part) for part in parts)

    def where(self, condition: Condition, a: Ratio, b: Ratio) -> Ratio:
        """`b + [condition]*(a - b)` with the indicator as a variable, or a case distinction."""
        chosen = self._indicator(condition)
        return self.ring.add(b, self.ring.multiply(chosen, self.ring.subtract(a, b)))

    def _indicator(self, condition: Condition) -> Ratio:
        """1 where a condition holds, 0 elsewhere."""
        one = self.ring.constant(1)
        match condition:
            case Test(op, value):
                return self._indicator_of_test(op, value)
            case Formula("not", (part,)):
                return self.ring.subtract(one, self._indicator(part))
            case Formula("or", parts):
                return self._indicator(Formula("not", (Formula("and", _negated(parts)),)))
            case Formula(_, parts):
                out = one
                for part in parts:
                    out = self.ring.multiply(out, self._indicator(part))
                return out

    def _indicator_of_test(self, op: str, value: Ratio) -> Ratio:
        signs = self.context.signs_of(value)
        outcomes = {_HOLDS[op](s) for s in signs}
        if len(outcomes) == 1:
            return self.ring.constant(int(outcomes.pop()))
        if self._splits(value):
            return self.ring.constant(int(_HOLDS[op](self.context.sign(value))))
        match op:
            case ">":
                return self._is_positive(value)
            case "<":
                return self._is_positive(self.ring.negate(value))
            case "!=":
                return self.ring.add(
                    self._indicator_of_test(">", value), self._indicator_of_test("<", value)
                )
        opposite = {"<=": ">", ">=": "<", "==": "!="}[op]
        return self.ring.subtract(self.ring.constant(1), self._indicator_of_test(opposite, value))

    def _splits(self, value: Ratio) -> bool:
        return self.split_lanes or not self.ring.has_lanes(value)

    def _is_positive(self, value: Ratio) -> Ratio:
        """The indicator of `value > 0`, which a positive factor does not change."""
        core = self._without_positive_factors(value)
        label = sympy.Function("positive")(self.ring.to_sympy(core))
        about = self.about((core,))
        generator = self.ring.generator(("positive", core.key), label, domain=_UNIT, **about)
        self.ring.relate(generator, 2, self.ring.variables[generator.index])
        return self.value_of(generator)

    def _without_positive_factors(self, value: Ratio) -> Ratio:
        number, factors = self.ring.factors(value.numerator)
        core = self.ring.ring(1 if number > 0 else -1)
        for f, k in factors:
            signs = self.context.signs_of_factor(f)
            if signs != {1}:
                core = core * f ** (k % 2 or 2)
        for f, k in value.denominator:
            if k % 2 and self.context.signs_of_factor(f) - {0} != {1}:
                core = core * f
        return self.ring.poly(core)

    def _sign(self, x: Ratio) -> Ratio:
        above = self._indicator_of_test(">", x)
        return self.ring.subtract(above, self._indicator_of_test("<", x))

    def positive_part(self, x: Ratio) -> Ratio:
        """max(x, 0): known factors outside, and one generator for the rest, whatever its sign."""
        signs = self.context.signs_of(x)
        if -1 not in signs:
            return x
        if 1 not in signs:
            return self.ring.constant(0)
        if self._splits(x):
            return x if self.context.sign(x) >= 0 else self.ring.constant(0)
        scale, core, sign = self._scale_and_core(x)
        label = sympy.Max(self.ring.to_sympy(Ratio(core)), 0, evaluate=False)
        about = self.about((Ratio(core),))
        part = self.ring.generator(("part", core), label, domain=NONNEGATIVE_REALS, **about)
        variable = self.ring.variables[part.index]
        self.ring.relate(part, 2, core * variable)
        positive = self.value_of(part)
        if sign < 0:
            positive = self.ring.subtract(positive, self.ring.poly(core))
        return self.ring.multiply(scale, positive)

    def _scale_and_core(self, x: Ratio) -> tuple[Ratio, Poly, int]:
        """X = scale * sign * core with scale >= 0 and a core of unknown sign."""
        number, factors = self.ring.factors(x.numerator)
        scale, core = self.ring.constant(abs(number)), self.ring.ring.one
        sign = 1 if number > 0 else -1
        for f, k in (*factors, *((g, -e) for g, e in x.denominator)):
            signs = self.context.signs_of_factor(f)
            known = signs if k > 0 else signs - {0}
            outside = k if -1 not in known or 1 not in known else k - k % 2
            if 1 not in known and k % 2:
                sign = -sign
                scale = self.ring.negate(scale)
            scale = self.ring.multiply(scale, self.ring.power(Ratio(f), outside))
            core = core * f ** (k - outside)
        return scale, core, sign


_HOLDS: dict[str, Any] = {
    "==": lambda s: s == 0, "!=": lambda s: s != 0, "<": lambda s: s < 0,
    "<=": lambda s: s <= 0, ">": lambda s: s > 0, ">=": lambda s: s >= 0,
}  # fmt: skip
_FUNCTION_NAMES = {"%": "mod", "**": "power"}


def _negated(parts: tuple[Condition, ...]) -> tuple[Condition, ...]:
    return tuple(Formula("not", (part,)) for part in parts)


def exact(x: Ratio) -> Fraction | None:
    """The number that a value is, None where it is not a literal."""
    p = x.numerator
    if x.denominator or not p.is_ground:
        return None
    constant = p.coeff(1)
    return Fraction(int(constant.numerator), int(constant.denominator))
