"""One step of one algorithm with its options decided and some of its hyperparameters bound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from instep.spec import ir, registry
from instep.spec.algebra.expressions import infix, parse
from instep.spec.arguments import Domain, OptionValue
from instep.spec.errors import SpecError
from instep.spec.model import Algorithm, State
from instep.spec.options import live_states, resolve

Binding = ir.Expr | int | float | Fraction | str


@dataclass(frozen=True, slots=True)
class Program:
    """What is compared: an algorithm, its options, and hyperparameters set to expressions.

    `bindings` map a symbol to an expression over the free hyperparameters, the step counter and
    itself: `eps -> eps*sqrt(1 - beta2**t)` reads the free `eps`. `restrictions` narrow domains.
    """

    algorithm: Algorithm
    options: tuple[tuple[str, OptionValue], ...]
    body: ir.Body
    bindings: tuple[tuple[str, ir.Expr], ...] = ()
    restrictions: tuple[tuple[str, Domain], ...] = ()
    label: str = ""

    @property
    def name(self) -> str:
        """The label, else the dialect's name, with bindings and restrictions."""
        known = [f"{name} = {infix(value)}" for name, value in self.bindings]
        known += [f"{name} in {domain}" for name, domain in self.restrictions]
        name = self.label or self.algorithm.full_name
        return f"{name} with {', '.join(known)}" if known else name

    @property
    def states(self) -> tuple[State, ...]:
        """States that exist under these options."""
        live = live_states(self.algorithm, dict(self.options))
        return tuple(self.algorithm.state(name) for name in live)

    @property
    def start(self) -> int:
        """What the step counter says in the first step."""
        return 1 if self.algorithm.counter is None else self.algorithm.counter.start

    @property
    def counter(self) -> str | None:
        """Symbol of the step counter."""
        return self.algorithm.counter.name if self.algorithm.counter is not None else None

    @property
    def domains(self) -> dict[str, Domain]:
        """Domains of the free hyperparameters, by symbol."""
        out = {h.name: h.domain for h in self.algorithm.hyperparameters}
        return out | {n: _intersection(out[n], domain) for n, domain in self.restrictions}

    @property
    def free(self) -> tuple[str, ...]:
        """Hyperparameters that the equations or the bindings read, in declared order."""
        bound = dict(self.bindings)
        read = {n.name for n in ir.nodes(self.body) if isinstance(n, ir.Sym)} - set(bound)
        read |= {n.name for e in bound.values() for n in ir.walk(e) if isinstance(n, ir.Sym)}
        return tuple(name for name in self.domains if name in read)

    @property
    def requirements(self) -> tuple[ir.Expr, ...]:
        """What options and hyperparameters must satisfy together."""
        return tuple(r.condition for r in self.algorithm.requirements)

    def reads(self, *kinds: type[ir.Expr]) -> bool:
        """Whether the body or an initial value has a node of these kinds."""
        initial = (x for s in self.states if s.init is not None for x in ir.walk(s.init))
        return any(isinstance(n, kinds) for n in (*ir.nodes(self.body), *initial))

    def unbound(self) -> Program:
        """The same program with every hyperparameter free."""
        return replace(self, bindings=())

    def within(self, domains: Mapping[str, Domain | str]) -> Program:
        """The same with narrower domains, `{"momentum": "(0,inf)"}`."""
        narrowed = dict(self.restrictions)
        for name, domain in domains.items():
            self.algorithm.hyperparameter(name)
            narrowed[name] = Domain.parse(domain) if isinstance(domain, str) else domain
        return replace(self, restrictions=tuple(narrowed.items()))

    def bind(self, bindings: Mapping[str, Binding]) -> Program:
        """The same with further hyperparameters bound; raises SpecError for unknown ones."""
        bound = dict(self.bindings)
        for name, value in bindings.items():
            self.algorithm.hyperparameter(name)
            bound[name] = expression(value)
        return replace(self, bindings=tuple(bound.items()))


Subject = Program | Algorithm | str


def program(
    subject: Subject,
    *,
    options: Mapping[str, OptionValue] | None = None,
    bindings: Mapping[str, Binding] | None = None,
    domains: Mapping[str, Domain | str] | None = None,
) -> Program:
    """Resolve an algorithm, or the name of one, for comparison.

    `options` override the dialect's, `bindings` set hyperparameters to numbers, expressions or
    text, `domains` narrow theirs. Raises SpecError for an unknown option or hyperparameter.
    """
    if isinstance(subject, Program):
        if options:
            raise SpecError(f"{subject.name}: its options are decided already")
        return subject.bind(bindings or {}).within(domains or {})
    algorithm = registry.get(subject).with_options(options or {})
    chosen = algorithm.option_defaults()
    out = Program(algorithm, tuple(chosen.items()), resolve(algorithm.body, chosen))
    return out.bind(bindings or {}).within(domains or {})


def programs(
    a: Subject,
    b: Subject,
    options: Mapping[str, OptionValue] | None = None,
    bindings: Mapping[str, Binding] | None = None,
    domains: Mapping[str, Domain | str] | None = None,
) -> tuple[Program, Program]:
    """Two subjects resolved alike, under different names."""

    def one(subject: Subject) -> Program:
        return program(subject, options=options, bindings=bindings, domains=domains)

    left, right = one(a), one(b)
    if left.name == right.name:
        # A mutant bears the name of its original.
        name = left.label or left.algorithm.full_name
        return replace(left, label=f"{name} (a)"), replace(right, label=f"{name} (b)")
    return left, right


def expression(value: Binding) -> ir.Expr:
    """The IR of a number, of text such as `1 - beta2**t`, or of what is IR already."""
    match value:
        case str():
            return parse(value)
        case int() | float() | Fraction():
            return ir.Const(value)
    return value


def common_domains(a: Program, b: Program) -> dict[str, Domain]:
    """Domain of each free hyperparameter of two programs; a shared one must lie in both."""
    out = a.domains
    for name, domain in b.domains.items():
        out[name] = _intersection(out[name], domain) if name in out else domain
    return out


def _intersection(a: Domain, b: Domain) -> Domain:
    """The values that lie in both intervals; an end is closed where both admit it."""
    lower, upper = max(a.lower, b.lower), min(a.upper, b.upper)
    return Domain(
        lower,
        upper,
        all(d.lower_closed for d in (a, b) if d.lower == lower),
        all(d.upper_closed for d in (a, b) if d.upper == upper),
        a.integer or b.integer,
    )
