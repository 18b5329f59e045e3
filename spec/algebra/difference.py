"""What two dialects or algorithms do differently: equations, defaults, and whether it matters.

`instep diff adam/paper adam/eps-hat` prints it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from instep.spec import ir
from instep.spec.algebra.counterexample import Counterexample
from instep.spec.algebra.equivalence import Budget, Verdict, equal
from instep.spec.algebra.expressions import infix, negated, simplest
from instep.spec.algebra.probes import largest_difference
from instep.spec.algebra.program import Binding, Program, Subject, programs
from instep.spec.algebra.substitutions import Substitution, substitutions
from instep.spec.arguments import Domain, OptionValue


@dataclass(frozen=True, slots=True)
class Written:
    """One equation as it stands in a body: under which conditions, what it assigns."""

    conditions: tuple[str, ...]
    target: str
    value: ir.Expr

    def __str__(self) -> str:
        held = f"   when {' and '.join(self.conditions)}" if self.conditions else ""
        return f"{self.target} = {infix(self.value)}{held}"


@dataclass(frozen=True, slots=True)
class EquationDifference:
    """An equation name under which the two have something else, or one of them nothing."""

    equation: str
    a: tuple[Written, ...]
    b: tuple[Written, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """The comparison; `verdict` is about the two as they are, `substitutions` about variations.

    `order` has the names of the common equations in both orders where these differ, else nothing.
    """

    a: str
    b: str
    equations: tuple[EquationDifference, ...]
    order: tuple[tuple[str, ...], ...]
    defaults: tuple[tuple[str, float, float], ...]
    verdict: Verdict
    substitutions: tuple[Substitution, ...]
    largest: Counterexample | None

    def to_text(self, width: int = 80) -> str:
        """The comparison for a terminal."""
        parts = [f"{self.a} and {self.b}: {self.verdict.status}"]
        parts += [self._equation(e) for e in self.equations]
        for name, order in zip((self.a, self.b), self.order, strict=False):
            text = f"order in {name}: {', '.join(order)}"
            parts.append(textwrap.fill(text, width, subsequent_indent="    "))
        parts += [
            f"default of {n}: {x:g} in {self.a}, {y:g} in {self.b}" for n, x, y in self.defaults
        ]
        parts += [textwrap.fill(str(s), width, subsequent_indent="  ") for s in self.substitutions]
        for s in self.substitutions[:1]:
            assert s.verdict.proof is not None
            parts.append(textwrap.indent(s.verdict.proof.to_text(width - 2), "  "))
        if self.verdict.proof is not None:
            parts.append(self.verdict.proof.to_text(width))
        if self.verdict.status == "undecided":
            parts.append(textwrap.fill(self.verdict.reason, width))
        if self.largest is not None:
            parts.append("where they differ most among the probes")
            parts.append(textwrap.indent(self.largest.to_text(width - 2), "  "))
        return "\n".join(parts)

    def _equation(self, e: EquationDifference) -> str:
        if not (e.a and e.b):
            only = self.a if e.a else self.b
            return "\n".join((f"{e.equation}, only in {only}", *(f"    {w}" for w in (*e.a, *e.b))))
        lines = [f"{e.equation}"]
        for name, written in ((self.a, e.a), (self.b, e.b)):
            lines += [f"    {name}", *(f"        {w}" for w in written)]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "a": self.a,
            "b": self.b,
            "equations": [
                {"equation": e.equation, "a": [str(w) for w in e.a], "b": [str(w) for w in e.b]}
                for e in self.equations
            ],
            "order": [list(order) for order in self.order],
            "defaults": [{"hyperparameter": n, "a": x, "b": y} for n, x, y in self.defaults],
            "verdict": self.verdict.to_json(),
            "substitutions": [
                {"substitution": str(s), "verdict": s.verdict.to_json()} for s in self.substitutions
            ],
            "largest": None if self.largest is None else self.largest.to_json(),
        }


def difference(
    a: Subject,
    b: Subject,
    *,
    options: Mapping[str, OptionValue] | None = None,
    bindings: Mapping[str, Binding] | None = None,
    domains: Mapping[str, Domain | str] | None = None,
    budget: Budget | None = None,
) -> Difference:
    """Compare two algorithms by equation and as maps; what is set applies to both.

    Where they differ, substitutions are tried (see `substitutions`); only what is proved is
    reported.
    """
    left, right = programs(a, b, options, bindings, domains)
    verdict = equal(left, right, budget=budget)
    same = verdict.status == "equal"
    return Difference(
        left.name,
        right.name,
        equation_differences(left, right),
        _order(left, right),
        _defaults(left, right),
        verdict,
        () if same else substitutions(left, right, budget or Budget()),
        None if same else largest_difference(left, right),
    )


def equation_differences(a: Program, b: Program) -> tuple[EquationDifference, ...]:
    """Equations by name, in written order, that are not literally the same."""
    left, right = _equations(a.body), _equations(b.body)
    pairs = ((name, left.get(name, ()), right.get(name, ())) for name in {**left, **right})
    return tuple(EquationDifference(name, x, y) for name, x, y in pairs if x != y)


def _order(a: Program, b: Program) -> tuple[tuple[str, ...], ...]:
    left, right = _equations(a.body), _equations(b.body)
    orders = tuple(n for n in left if n in right), tuple(n for n in right if n in left)
    return () if orders[0] == orders[1] else orders


def _equations(body: ir.Body, held: tuple[str, ...] = ()) -> dict[str, tuple[Written, ...]]:
    """Equations of a body by name, with the conditions under which each holds."""
    out: dict[str, tuple[Written, ...]] = {}
    for statement in body:
        inner: list[dict[str, tuple[Written, ...]]] = []
        match statement:
            case ir.Let(name, target, value):
                inner.append({name: (Written(held, infix(target), value),)})
            case ir.Push(name, history, value):
                inner.append({name: (Written(held, f"push {history}", value),)})
            case ir.If(condition, then, otherwise):
                inner.append(_equations(then, (*held, infix(simplest(condition)))))
                inner.append(_equations(otherwise, (*held, infix(simplest(negated(condition))))))
            case ir.Repeat(variable, start, stop, loop):
                rounds = f"{variable} from {infix(start)} to {infix(stop)}"
                inner.append(_equations(loop, (*held, rounds)))
        for found in inner:
            for name, written in found.items():
                out[name] = (*out.get(name, ()), *written)
    return out


def _defaults(a: Program, b: Program) -> tuple[tuple[str, float, float], ...]:
    left, right = a.algorithm.defaults(), b.algorithm.defaults()
    shared = [name for name in left if name in right and left[name] != right[name]]
    return tuple((name, left[name], right[name]) for name in shared)
