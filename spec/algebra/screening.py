"""Quick numeric screening of a guess, before anything is proved."""

from __future__ import annotations

import time
from collections.abc import Iterable

from instep.spec.algebra.falsify import Pairing, Search
from instep.spec.algebra.program import Program, common_domains
from instep.spec.algebra.relating import related
from instep.spec.algebra.relation import Relation

_STEPS, _SECONDS = 60, 1.0


def survives(
    a: Program,
    b: Program,
    relation: Relation,
    constant: Iterable[str] | None = None,
    steps: int = _STEPS,
) -> bool:
    """Whether no run refutes a relation; all hyperparameters are constant unless told otherwise."""
    return _unrefuted(a, b, related(a, b, relation), constant, steps)


def same_parameters(a: Program, b: Program) -> bool:
    """Whether no run with constant hyperparameters moves the parameters differently."""
    return _unrefuted(a, b, None, None, _STEPS)


def constant_needed(a: Program, b: Program, relation: Relation) -> frozenset[str]:
    """A smallest set of hyperparameters that must not change for the relation to survive."""
    needed = set(common_domains(a, b))
    for name in sorted(needed):
        if survives(a, b, relation, needed - {name}):
            needed.discard(name)
    return frozenset(needed)


def _unrefuted(
    a: Program, b: Program, pairing: Pairing | None, constant: Iterable[str] | None, steps: int
) -> bool:
    kept = common_domains(a, b) if constant is None else constant
    search = Search(a, b, kept, pairing)
    found = search.run(steps, time.thread_time() + _SECONDS)
    # Where hardly a run is admissible, no difference means nothing.
    return found is None and search.tried >= steps // 2
