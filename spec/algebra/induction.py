"""The induction over steps: what relates two programs before a step relates them after it.

Nothing is decided here about how a proof is printed: the attempt keeps every case with its
canonical forms.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product

import sympy

from instep.spec import ir
from instep.spec.algebra.cases import Context, each_case
from instep.spec.algebra.execute import Execution, UndefinedError, UnsupportedError, bound_values
from instep.spec.algebra.invariants import nonnegative_states
from instep.spec.algebra.normal import NormalDomain
from instep.spec.algebra.program import Program, common_domains
from instep.spec.algebra.ratios import Poly, Ratio, Ring
from instep.spec.algebra.relation import Relation
from instep.spec.algebra.step_map import absences, absentable
from instep.spec.algebra.symbolic import (
    Leaves,
    Values,
    counted_from,
    initial_values,
    run_or_undefined,
)


@dataclass(frozen=True, slots=True)
class Case:
    """One case of one step: b's quantities as the relation demands them, and as b computes them.

    Without values on one side that program certainly has none there. `answers` are the branches
    that both programs took, `partial` what each divides by, or takes the root of, without being
    known to be able to.
    """

    context: Context
    absent: frozenset[str]
    absent_in_b: frozenset[str]
    first: bool
    expected: Values | None
    got: Values | None
    partial: tuple[frozenset[Poly], frozenset[Poly]] = (frozenset(), frozenset())
    answers: tuple[tuple[bool, ...], tuple[bool, ...]] = ((), ())

    def agrees(self, name: str) -> bool:
        """Whether a quantity is the same on both sides, or missing on both."""
        if self.expected is None or self.got is None:
            return self.expected is None and self.got is None
        if name not in self.expected or name not in self.got:
            return name not in self.expected and name not in self.got
        difference = self.context.ring.subtract(self.expected[name], self.got[name])
        return self.context.is_zero(difference)

    def defined_alike(self) -> bool:
        """Whether both sides have a value at the same points, as far as that is not known."""

        def covered(p: Poly, others: frozenset[Poly]) -> bool:
            return any(self.context.is_zero(Ratio(p + side)) for q in others for side in (q, -q))

        left, right = self.partial
        only = ((p, right) for p in left - right), ((p, left) for p in right - left)
        return all(covered(p, others) for side in only for p, others in side)

    def reads(self, name: str) -> frozenset[str]:
        """Stored values on which a quantity, or the case itself, depends."""
        ring = self.context.ring
        sides = [
            side[name] for side in (self.expected, self.got) if side is not None and name in side
        ]
        polys = [Ratio(p) for p in self.context.facts.signs]
        return frozenset().union(*(ring.leaves_of(x) for x in (*sides, *polys)))


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be proved: that the relation holds after every step.

    `observe` are the quantities that matter; of the rest only those on which these depend.
    """

    a: Program
    b: Program
    relation: Relation
    constant: frozenset[str] = frozenset()
    observe: frozenset[str] = frozenset({ir.THETA})


@dataclass
class Induction:
    """One proof attempt; after `prove` its cases, and what they used, are there for the printer.

    It starts before the first step; with `after_first`, the first step is a case of its own (from
    the initial states) and the relation has to hold from then on.
    """

    question: Question
    deadline: float
    split_lanes: bool = False
    after_first: bool = False
    cases: list[Case] = field(default_factory=list)
    compared: frozenset[str] = frozenset()
    rules: dict[str, None] = field(default_factory=dict)
    invariant: frozenset[str] = frozenset()
    divided: set[Poly] = field(default_factory=set)
    rooted: set[Poly] = field(default_factory=set)
    ring: Ring = field(init=False)

    def __post_init__(self) -> None:
        q = self.question
        self.ring = Ring(self.deadline)
        self.invariant = nonnegative_states(q.a)
        counted = counted_from(q.a.start + self.after_first)
        self.leaves = Leaves(common_domains(q.a, q.b), self.invariant, counted)

    def prove(self) -> str | None:
        """None when the claim is proved, else the reason why it is not."""
        a = self.question.a
        if a.counter in self.question.relation.reads() and not _counts_own_steps(a):
            return "the relation counts steps that the parameter may have been passed over in"
        try:
            for absent, own in product(absences(self.question.a), self._own_absences()):
                self.cases += self._cases(absent, own, first=False)
            if self.after_first:
                self.cases += self._cases(frozenset(), frozenset(), first=True)
            self.compared = self._relevant()
            return self._step_fails() or (None if self.after_first else self._start_fails())
        except UnsupportedError as error:
            return str(error)

    def _cases(self, absent: frozenset[str], own: frozenset[str], *, first: bool) -> Iterator[Case]:
        def run(context: Context) -> Case | None:
            try:
                return self._case(context, absent, own, first=first)
            except UndefinedError:
                return None  # a binding or the relation has no value here, so nothing is claimed

        found = each_case(self.ring, run)
        return (case for _, case in found if case is not None)

    def _case(
        self, context: Context, absent: frozenset[str], own: frozenset[str], *, first: bool
    ) -> Case | None:
        """Both programs run once, from related quantities; None where their requirements fail."""
        q = self.question
        left, right, between = (NormalDomain(context, self.split_lanes) for _ in range(3))
        given, given_b = (self._given(between, p, 1 if first else None) for p in (q.a, q.b))
        bound, bound_b = bound_values(q.a, between, given), bound_values(q.b, between, given_b)
        if first:
            start = initial_values(q.a, between, given, bound)
            start_b = initial_values(q.b, between, given_b, bound_b)
        else:
            start = self.leaves.stored(left, q.a, absent)
            start_b = self._own(right, own) | self._related_before(between, given, start)
        runs = (
            Execution(q.a, left, given, start, bound),
            Execution(q.b, right, given_b, start_b, bound_b),
        )
        if not all(run.admissible() for run in runs):
            return None
        finals = [run_or_undefined(run) for run in runs]
        expected = finals[0]
        if expected is not None:
            expected = q.relation.values(q.a, q.b, between, given, expected)
        self._note(left, right, between)
        partial = (
            frozenset(left.divisors | left.radicands),
            frozenset(right.divisors | right.radicands),
        )
        answers = (tuple(runs[0].answers), tuple(runs[1].answers))
        missing = frozenset(absentable(q.b)) - set(start_b)
        return Case(context, absent, missing, first, expected, finals[1], partial, answers)

    def _given(self, domain: NormalDomain, program: Program, count: int | None = None) -> Values:
        """What a step receives, with this number of steps where one is given."""
        out = self.leaves.given(domain, program)
        if count is not None and program.counter is not None:
            out[program.counter] = domain.constant(count + program.start - 1)
        return out

    def _related_before(self, domain: NormalDomain, given: Values, start: Values) -> Values:
        """Quantities of b before the step, as the relation made them after the step before."""
        q = self.question
        earlier = q.relation.previous(domain, self.leaves, given, q.constant)
        if q.a.counter is not None:
            earlier[q.a.counter] = domain.binary("-", given[q.a.counter], domain.constant(1))
        return q.relation.values(q.a, q.b, domain, earlier, start)

    def _own_absences(self) -> Iterator[frozenset[str]]:
        """Every set of states of b that may be absent whatever is absent in a."""
        related = {name for name, _ in self.question.relation.equations}
        return (gone for gone in absences(self.question.b) if not gone & related)

    def _own(self, domain: NormalDomain, absent: frozenset[str]) -> Values:
        """States of b to which nothing of a is related: any value, so no proof can lean on one."""
        known = {name for name, _ in self.question.relation.equations} | absent
        own = [s for s in self.question.b.states if s.name not in known and s.shape != "history"]
        return {
            s.name: domain.leaf(
                ("own", s.name),
                sympy.Symbol(f"{s.name}_b", real=True),
                lanes=True,
                leaves=(f"{s.name}_b",),
            )
            for s in own
        }

    def _note(self, left: NormalDomain, right: NormalDomain, between: NormalDomain) -> None:
        for domain in (left, right, between):
            self.rules |= domain.rules
        self.divided |= between.divisors
        self.rooted |= between.radicands

    def _relevant(self) -> frozenset[str]:
        """Quantities whose relation is needed: the observed ones, and what they depend on."""
        q = self.question
        related = {name for name, _ in q.relation.equations}
        if not q.relation.is_identity:
            return frozenset(related)
        needed = related & (q.observe | (set(absentable(q.a)) & set(absentable(q.b))))
        while True:
            read = {leaf for case in self.cases for name in needed for leaf in case.reads(name)}
            more = (read & related) - needed
            if not more:
                return frozenset(needed)
            needed |= more

    def _step_fails(self) -> str | None:
        for case in self.cases:
            if not case.defined_alike():
                return "one side divides by, or takes the root of, what the other does not"
            for name in sorted(self.compared, key=lambda n: n != ir.THETA):
                if not case.agrees(name):
                    return f"the canonical forms of {name} after a step differ"
        return None

    def _start_fails(self) -> str | None:
        for _, agrees in each_case(self.ring, self._start_agrees):
            if not agrees:
                return "the initial states are not related"
        return None

    def _start_agrees(self, context: Context) -> bool:
        """Whether the relation holds before the first step."""
        q = self.question
        domain = NormalDomain(context, self.split_lanes)
        given, given_b = (self._given(domain, p, 0) for p in (q.a, q.b))
        try:
            first = initial_values(q.a, domain, given, bound_values(q.a, domain, given))
            second = initial_values(q.b, domain, given_b, bound_values(q.b, domain, given_b))
            expected = q.relation.values(q.a, q.b, domain, given, first)
        except UndefinedError:
            return False
        case = Case(context, frozenset(), frozenset(), True, expected, second)
        return all(case.agrees(name) for name in self.compared)


def _counts_own_steps(program: Program) -> bool:
    """Whether a program's counter starts with every parameter, or there are no parameters."""
    counter = program.algorithm.counter
    alone = program.algorithm.schedule is not None
    return counter is not None and (counter.scope == "parameter" or alone)


def induction(question: Question, time_limit: float) -> tuple[Induction, str | None]:
    """Try to prove a relation.

    Returns the attempt and None when it succeeded, else the reason why it did not.
    """
    deadline = time.thread_time() + time_limit
    attempt, reason = _distinguishing(question, deadline)
    loose = question.relation.without(set(absentable(question.a)) - question.observe)
    if reason is None or loose == question.relation or not question.relation.is_identity:
        return attempt, reason
    # A state that comes to be at another time on the other side may still not matter.
    other, failure = _distinguishing(replace(question, relation=loose), deadline)
    return (attempt, reason) if failure is not None else (other, None)


def _distinguishing(question: Question, deadline: float) -> tuple[Induction, str | None]:
    """Try with more and more case distinctions, while it fails and they could help."""
    attempt = Induction(question, deadline)
    reason = attempt.prove()
    counts = _counts_own_steps(question.a) and _counts_own_steps(question.b)
    for split, after_first in ((False, True), (True, False), (True, True)):
        if reason is None or time.thread_time() > deadline:
            break
        if (after_first and not counts) or (split and not attempt.ring.has_indicators()):
            continue
        attempt = Induction(question, deadline, split, after_first)
        reason = attempt.prove()
    return attempt, reason
