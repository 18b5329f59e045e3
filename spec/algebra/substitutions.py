"""Variations under which two algorithms are one: guessed, screened by numbers, then proved.

Tried are, in this order and alone or together with the defaults of what only one side knows: the
same hyperparameters in other variables (states scaled, parameters moved along a state), a
hyperparameter of b scaled by a term of the equations, and a hyperparameter of both at an end of its
domain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from instep.spec import ir
from instep.spec.algebra import guesses
from instep.spec.algebra.change_of_variables import decide
from instep.spec.algebra.equivalence import Budget, Verdict
from instep.spec.algebra.expressions import infix
from instep.spec.algebra.program import Program
from instep.spec.algebra.relation import Relation
from instep.spec.algebra.screening import constant_needed, same_parameters, survives


@dataclass(frozen=True, slots=True)
class Substitution:
    """The two programs as varied, the relation between their quantities, and the proof."""

    a: Program
    b: Program
    relation: Relation
    constant: frozenset[str]
    verdict: Verdict

    def __str__(self) -> str:
        moved = [f"{n}_b = {infix(e)}" for n, e in self.relation.equations if e != ir.Sym(n)]
        variables = f" under {', '.join(moved)}" if moved else ""
        kept = f", {' and '.join(sorted(self.constant))} constant" if self.constant else ""
        return f"{self.verdict.status}: {self.b.name} and {self.a.name}{variables}{kept}"


def substitutions(a: Program, b: Program, budget: Budget) -> tuple[Substitution, ...]:
    """Variations that are proved: the first of the first two kinds, and every end of a domain."""
    found = [_first(_other_variables(a, b), budget), _first(_scaled(a, b), budget)]
    found += [_decided(*pair, budget) for pair in _at_ends(a, b)]
    return tuple(s for s in found if s is not None)


Pair = tuple[Program, Program, Relation]


def _first(pairs: Iterator[Pair], budget: Budget) -> Substitution | None:
    decided = (_decided(*pair, budget) for pair in pairs)
    return next((s for s in decided if s is not None), None)


def _bases(a: Program, b: Program) -> Iterator[tuple[Program, Program]]:
    """The two as they are, with the defaults of what only one reads, and away from closed ends."""
    yield a, b
    left, right = guesses.neutral(a, b), guesses.neutral(b, a)
    if left or right:
        a, b = a.bind(left), b.bind(right)
        yield a, b
    for name, domain in guesses.interior(a, b).items():
        yield a.within({name: domain}), b.within({name: domain})


def _other_variables(a: Program, b: Program) -> Iterator[Pair]:
    for left, right in _bases(a, b):
        relation = guesses.relation(left, right)
        if relation is not None:
            yield left, right, relation


def _scaled(a: Program, b: Program) -> Iterator[Pair]:
    for left, right in _bases(a, b):
        for bound in guesses.scalings(left, right):
            yield from _alike(left, right.bind(bound))


def _at_ends(a: Program, b: Program) -> Iterator[Pair]:
    for bound in guesses.ends(a, b):
        left, right = a.bind(bound), b.bind(bound)
        if not _rests(left):
            yield from _alike(left, right)


def _alike(a: Program, b: Program) -> Iterator[Pair]:
    """The pair with its relation, if the parameters move alike."""
    if same_parameters(a, b):
        identity = Relation.identity(a, b)
        relation = identity if survives(a, b, identity, steps=16) else guesses.relation(a, b)
        if relation is not None:
            yield a, b, relation


def _rests(program: Program) -> bool:
    """Whether a program leaves the parameters where they are: then many others equal it."""
    return same_parameters(program, replace(program, body=()))


def _decided(a: Program, b: Program, relation: Relation, budget: Budget) -> Substitution | None:
    if not survives(a, b, relation):
        return None
    constant = constant_needed(a, b, relation)
    # Without a proof there is nothing to report, so nothing is spent on a counterexample.
    verdict = decide(a, b, relation, constant, replace(budget, points=0))
    return Substitution(a, b, relation, constant, verdict) if verdict.status == "equal" else None
