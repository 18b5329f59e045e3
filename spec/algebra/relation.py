"""How one program's quantities are made from another's: the hypothesis of an induction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from instep.spec import ir
from instep.spec.algebra.execute import Domain, Execution
from instep.spec.algebra.expressions import infix
from instep.spec.algebra.normal import NormalDomain
from instep.spec.algebra.program import Binding, Program, expression
from instep.spec.algebra.symbolic import Leaves, Values
from instep.spec.errors import SpecError

V = TypeVar("V")
C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Relation:
    """b's parameter and states as expressions over a's, the hyperparameters and the counter.

    A state of a that is absent counts as 0; a state of b that reads one, and may be absent, is
    absent too.
    """

    equations: tuple[tuple[str, ir.Expr], ...]

    @classmethod
    def identity(cls, a: Program, b: Program) -> Relation:
        """Quantities of the same name are equal."""
        scopes = {(s.name, s.scope) for s in a.states}
        shared = [ir.THETA, *(s.name for s in b.states if (s.name, s.scope) in scopes)]
        return cls(tuple((name, ir.Sym(name)) for name in shared))

    @classmethod
    def of(cls, a: Program, b: Program, substitution: Mapping[str, Binding]) -> Relation:
        """Read a substitution; what it leaves out is equal. SpecError for unknown names."""
        known = dict(cls.identity(a, b).equations)
        have = {ir.THETA, *(s.name for s in b.states)}
        for name, value in substitution.items():
            if name not in have:
                raise SpecError(
                    f"{b.name} has no {name!r}; the substitution may name {sorted(have)}"
                )
            known[name] = expression(value)
            _check_names(a, name, known[name])
        return cls(tuple(known.items()))

    def without(self, names: set[str]) -> Relation:
        """The same without a word about some quantities."""
        return Relation(tuple((name, e) for name, e in self.equations if name not in names))

    @property
    def is_identity(self) -> bool:
        """Whether every quantity is that of the same name."""
        return all(value == ir.Sym(name) for name, value in self.equations)

    def reads(self) -> set[str]:
        """Symbols that the equations read."""
        return {n.name for _, e in self.equations for n in ir.walk(e) if isinstance(n, ir.Sym)}

    def values(
        self,
        a: Program,
        b: Program,
        domain: Domain[V, C],
        given: Mapping[str, V],
        have: Mapping[str, V],
    ) -> dict[str, V]:
        """B's quantities, from a's; those that are absent are missing."""
        padded = {s.name: domain.constant(0) for s in a.states} | dict(have)
        absentable = {s.name for s in b.states if s.init is None}
        execution = Execution(a.unbound(), domain, given, padded)
        return {
            name: execution.evaluate(value)
            for name, value in self.equations
            if name not in absentable or not reads_any(value, set(padded) - set(have))
        }

    def previous(
        self, domain: NormalDomain, leaves: Leaves, given: Values, constant: Iterable[str]
    ) -> Values:
        """What the relation reads before a step: the values that the step before received."""
        earlier = dict(given)
        for name in self.reads() & set(leaves.domains) - set(constant):
            earlier[name] = leaves.hyperparameter(domain, name, "_before")
        return earlier

    def describe(self) -> str:
        """The equations that are no identities, as text."""
        changed = [f"{n}' = {infix(e)}" for n, e in self.equations if e != ir.Sym(n)]
        return ", ".join(changed) or "the same parameters and states"


def reads_any(expr: ir.Expr, names: set[str]) -> bool:
    """Whether an expression reads one of these symbols."""
    return any(isinstance(n, ir.Sym) and n.name in names for n in ir.walk(expr))


def _check_names(a: Program, target: str, value: ir.Expr) -> None:
    known = {ir.THETA, *(s.name for s in a.states), *a.domains}
    known |= {a.counter} if a.counter is not None else set()
    for node in ir.walk(value):
        if isinstance(node, ir.Sym) and node.name not in known:
            raise SpecError(f"substitution for {target}: {a.name} has no {node.name!r}")
