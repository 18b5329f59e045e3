"""Whether two algorithms are the same: proved, refuted by a run, or undecided.

Two algorithms are equal when they move the parameters alike: from the initial state, for every
sequence of gradients and of admissible hyperparameters, which may change between steps unless they
are declared constant.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from instep.spec import ir
from instep.spec.algebra import guesses
from instep.spec.algebra.counterexample import Counterexample
from instep.spec.algebra.explain import explain
from instep.spec.algebra.falsify import Search, same_names
from instep.spec.algebra.first_step import same_after_first_step
from instep.spec.algebra.induction import Induction, Question, induction
from instep.spec.algebra.locality import alone
from instep.spec.algebra.program import Binding, Program, Subject, programs
from instep.spec.algebra.proof import Proof, Step
from instep.spec.algebra.relation import Relation
from instep.spec.algebra.step_map import absentable
from instep.spec.algebra.tidy import tidied
from instep.spec.algebra.values import same_values
from instep.spec.algebra.whole_numbers import without_ones
from instep.spec.arguments import Domain, OptionValue

_FIRST_STEP = (
    "The first step of a parameter takes nothing of what its states start from and stores the same "
    "in both; all later steps are the same."
)
Status = Literal["equal", "different", "undecided"]
Observed = Literal["parameters", "all"]


@dataclass(frozen=True, slots=True)
class Budget:
    """How hard to try: steps compared before and after a proof attempt; CPU seconds for each."""

    points_first: int = 120
    points: int = 10_000
    search_seconds: float = 5.0
    proof_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """`equal` has a proof, `different` a counterexample, `undecided` a reason."""

    status: Status
    a: str
    b: str
    proof: Proof | None = None
    counterexample: Counterexample | None = None
    reason: str = ""
    points: int = 0

    def to_text(self, width: int = 80) -> str:
        """The verdict, and what it rests on."""
        head = f"{self.status}: {self.a} and {self.b}"
        if self.proof is not None:
            return f"{head}\n{self.proof.to_text(width)}"
        if self.counterexample is not None:
            return f"{head}\n{self.counterexample.to_text(width)}"
        return f"{head}\n{self.reason}; no difference in {self.points} steps"

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "status": self.status,
            "a": self.a,
            "b": self.b,
            "proof": None if self.proof is None else self.proof.to_json(),
            "counterexample": None
            if self.counterexample is None
            else self.counterexample.to_json(),
            "reason": self.reason or None,
            "points": self.points,
        }


def equal(
    a: Subject,
    b: Subject,
    *,
    options: Mapping[str, OptionValue] | None = None,
    bindings: Mapping[str, Binding] | None = None,
    domains: Mapping[str, Domain | str] | None = None,
    constant: Iterable[str] = (),
    observe: Observed = "parameters",
    budget: Budget | None = None,
) -> Verdict:
    """Compare two algorithms; `options`, `bindings` and `domains` apply to both.

    `constant` names hyperparameters that keep their value during a run. With `observe="all"` the
    states that both have must agree too. Bind one side alone with `program(a, bindings=...)`.
    """
    left, right = map(without_ones, programs(a, b, options, bindings, domains))
    limit = budget or Budget()
    if _equations(left) == _equations(right):
        return _same(left, right, "They have the same equations.")
    if same_values(left, right):
        return _same(left, right, "With every value put where it is read, the equations are equal.")
    if _equations(_tidied(left)) == _equations(_tidied(right)):
        return _same(left, right, "Without repetitions and copies the equations are the same.")
    if same_after_first_step(left, right):
        return _same(left, right, _FIRST_STEP)
    names = {ir.THETA}
    if left.algorithm.schedule is not None:  # it moves no parameter: its entries are the result
        names |= _shared_states(left, right) & {n for n, _ in left.algorithm.schedule.entries}
    elif observe == "all" or not any(ir.THETA in ir.assigned(p.body) for p in (left, right)):
        names |= _shared_states(left, right)
    search = Search(left, right, constant, same_names(sorted(names, key=lambda n: n != ir.THETA)))
    found = search.run(limit.points_first, time.thread_time() + limit.search_seconds)
    if found is None:
        attempt, reason = _prove(left, right, frozenset(constant), frozenset(names), limit)
        if reason is None:
            attempt.ring.deadline = math.inf  # what is proved is told, however long it takes
            return Verdict("equal", left.name, right.name, explain(attempt), points=search.tried)
        proof = _in_one_statement(left, right, constant, limit)
        if proof is not None:
            return Verdict("equal", left.name, right.name, proof, points=search.tried)
        found = search.run(limit.points, time.thread_time() + limit.search_seconds)
        if found is None:
            return Verdict("undecided", left.name, right.name, reason=reason, points=search.tried)
    return Verdict("different", left.name, right.name, counterexample=found, points=search.tried)


def _prove(
    a: Program, b: Program, constant: frozenset[str], names: frozenset[str], limit: Budget
) -> tuple[Induction, str | None]:
    """With the same states on both sides; where that fails, with what a run suggests."""
    a, b = _absentable_first(a, b)
    attempt, reason = induction(
        Question(a, b, Relation.identity(a, b), constant, names), limit.proof_seconds
    )
    if reason is None or names != {ir.THETA}:
        return attempt, reason
    guess = guesses.relation(a, b)
    if guess is None or guess.is_identity or dict(guess.equations)[ir.THETA] != ir.Sym(ir.THETA):
        return attempt, reason
    other, failure = induction(Question(a, b, guess, constant, names), limit.proof_seconds)
    return (other, None) if failure is None else (attempt, reason)


def _in_one_statement(
    a: Program, b: Program, constant: Iterable[str], limit: Budget
) -> Proof | None:
    """A proof that the only statement in which they differ defines the same quantities."""
    steps = [Step("They differ in one statement, which by itself defines the same.")]
    pairs = alone(a, b)
    for left, right in pairs:
        verdict = equal(left, right, constant=constant, budget=limit)
        if verdict.proof is None:
            return None
        steps += verdict.proof.steps
    return Proof(f"{a.name} and {b.name} are the same.", (), tuple(steps)) if pairs else None


def _shared_states(a: Program, b: Program) -> set[str]:
    return {s.name for s in a.states} & {s.name for s in b.states}


def _absentable_first(a: Program, b: Program) -> tuple[Program, Program]:
    """Absent states of the first program may count as 0 in the second, not the reverse."""
    return (b, a) if len(absentable(b)) > len(absentable(a)) else (a, b)


def _equations(program: Program) -> object:
    """All that decides what a program does."""
    a = program.algorithm
    return program.body, program.states, a.counter, program.bindings, a.hyperparameters, a.slots


def _tidied(program: Program) -> Program:
    return replace(program, body=tidied(program.body))


def _same(a: Program, b: Program, why: str) -> Verdict:
    proof = Proof(f"{a.name} and {b.name} are the same.", (), (Step(why),))
    return Verdict("equal", a.name, b.name, proof)
