"""States that are never negative: true of the initial value, and kept by every step.

Found as the largest such set by a fixed point: assume it of all candidates, run the step in all its
cases, drop those of which it does not follow, and repeat. A second moment is found because it is a
sum of squares with positive weights, not because of its name.
"""

from __future__ import annotations

import time
from functools import lru_cache

from instep.spec.algebra.cases import Context, each_case
from instep.spec.algebra.execute import Execution, UndefinedError, UnsupportedError, bound_values
from instep.spec.algebra.normal import NormalDomain
from instep.spec.algebra.program import Program
from instep.spec.algebra.ratios import Ring
from instep.spec.algebra.step_map import absences
from instep.spec.algebra.symbolic import Leaves, Values, initial_values, run_or_undefined

TIME_LIMIT = 5.0


@lru_cache(maxsize=256)
def nonnegative_states(program: Program) -> frozenset[str]:
    """Names of the states that are provably never negative where they are stored."""
    candidates = frozenset(s.name for s in program.states if s.shape != "history")
    try:
        candidates -= _negative(program, candidates, initial=True)
        while candidates:
            failing = _negative(program, candidates, initial=False)
            if not failing:
                return candidates
            candidates -= failing
    except (UndefinedError, UnsupportedError):
        return frozenset()
    return candidates


def _negative(program: Program, assumed: frozenset[str], *, initial: bool) -> frozenset[str]:
    """Candidates that may be negative: as initial values, or after a step from such states."""
    leaves = Leaves(program.domains, assumed)

    def before_the_first_step(context: Context) -> frozenset[str]:
        domain = NormalDomain(context)
        given = leaves.given(domain, program)
        values = initial_values(program, domain, given, bound_values(program, domain, given))
        return _maybe_negative(context, values, assumed)

    def after_a_step(context: Context) -> frozenset[str]:
        domain = NormalDomain(context)
        given, failing = leaves.given(domain, program), frozenset[str]()
        bound = bound_values(program, domain, given)
        for absent in absences(program):
            start = leaves.stored(domain, program, absent)
            execution = Execution(program, domain, given, start, bound)
            if execution.admissible():
                failing |= _maybe_negative(context, run_or_undefined(execution) or {}, assumed)
        return failing

    run = before_the_first_step if initial else after_a_step
    failing = frozenset[str]()
    for _, found in each_case(Ring(time.thread_time() + TIME_LIMIT), run):
        failing |= found
        if failing == assumed:
            break
    return failing


def _maybe_negative(context: Context, values: Values, names: frozenset[str]) -> frozenset[str]:
    return frozenset(n for n in names if n in values and -1 in context.signs_of(values[n]))
