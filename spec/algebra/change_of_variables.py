"""Two algorithms that are the same in other variables: theta' = phi(theta, states).

The substitution is a hypothesis about what holds between the quantities before a step; the proof
shows that it then holds after the step, and at the start. Torch's Nesterov momentum and the paper's
are such a pair.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from instep.spec.algebra.equivalence import Budget, Verdict
from instep.spec.algebra.explain import explain
from instep.spec.algebra.falsify import Search
from instep.spec.algebra.induction import Question, induction
from instep.spec.algebra.program import Binding, Program, Subject, programs
from instep.spec.algebra.relating import related
from instep.spec.algebra.relation import Relation
from instep.spec.arguments import Domain, OptionValue


def change_of_variables(
    a: Subject,
    b: Subject,
    substitution: Mapping[str, Binding],
    *,
    options: Mapping[str, OptionValue] | None = None,
    bindings: Mapping[str, Binding] | None = None,
    domains: Mapping[str, Domain | str] | None = None,
    constant: Iterable[str] = (),
    budget: Budget | None = None,
) -> Verdict:
    """Whether b's quantities are those of a, substituted: `{"theta": "theta - momentum*b"}`.

    The keys are quantities of b, the expressions read quantities of a, hyperparameters and the
    counter; what is not named is equal. `constant` hyperparameters keep their value during a run,
    the others may change in every step; `bindings` and `domains` apply to both. Raises SpecError
    for a name that does not exist.
    """
    left, right = programs(a, b, options, bindings, domains)
    relation = Relation.of(left, right, substitution)
    return decide(left, right, relation, frozenset(constant), budget or Budget())


def decide(
    a: Program, b: Program, relation: Relation, constant: frozenset[str], limit: Budget
) -> Verdict:
    """Try to refute a relation, then to prove it, then to refute it with more effort."""
    search = Search(a, b, constant, related(a, b, relation))
    found = search.run(limit.points_first, time.thread_time() + limit.search_seconds)
    if found is None:
        attempt, reason = induction(Question(a, b, relation, constant), limit.proof_seconds)
        if reason is None:
            return Verdict("equal", a.name, b.name, explain(attempt), points=search.tried)
        found = search.run(limit.points, time.thread_time() + limit.search_seconds)
        if found is None:
            return Verdict("undecided", a.name, b.name, reason=reason, points=search.tried)
    return Verdict("different", a.name, b.name, counterexample=found, points=search.tried)
