"""A relation as what a numeric search compares."""

from __future__ import annotations

from collections.abc import Mapping

from instep.spec.algebra.falsify import Pairing, Quantities
from instep.spec.algebra.numeric import NumericDomain, Value
from instep.spec.algebra.program import Program
from instep.spec.algebra.relation import Relation
from instep.spec.algebra.scenario import Scenario, given_values


def related(a: Program, b: Program, relation: Relation) -> Pairing:
    """Compare what the relation makes of a's quantities with b's."""

    def pairs(
        domain: NumericDomain, scenario: Scenario, number: int, left: Quantities, right: Quantities
    ) -> Mapping[str, tuple[Value, Value]]:
        given = given_values(a, domain, scenario, number - 1)
        expected = relation.values(a, b, domain, given, left)
        return {n: (value, right[n]) for n, value in expected.items() if n in right}

    return pairs
