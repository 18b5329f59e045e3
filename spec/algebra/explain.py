"""A successful induction as a `Proof` that can be printed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import suppress

import sympy

from instep.spec import ir
from instep.spec.algebra.cases import Context
from instep.spec.algebra.execute import Execution, UnsupportedError, bound_values
from instep.spec.algebra.expressions import infix
from instep.spec.algebra.induction import Case, Induction, Question
from instep.spec.algebra.program import Program
from instep.spec.algebra.proof import Display, Proof, Step
from instep.spec.algebra.ratios import Poly, Ratio
from instep.spec.algebra.step_map import IrDomain, given_symbols, stored_symbols
from instep.spec.algebra.to_sympy import Translator

Names = dict[Poly, sympy.Symbol]


def explain(attempt: Induction) -> Proof:
    """The proof of a finished induction, step by step."""
    # The limit was on finding it.
    attempt.ring.deadline = math.inf
    q = attempt.question
    attempt.ring.deadline = math.inf  # what is proved may be written down
    claim = f"{q.a.name} and {q.b.name} move the parameters alike."
    if not q.relation.is_identity:
        claim = f"{q.b.name} is {q.a.name} in other variables."
    steps = [
        *_preliminaries(attempt),
        *(_case(attempt, case) for case in attempt.cases),
        *_closing(attempt),
    ]
    return Proof(claim, tuple(_conditions(attempt)), tuple(steps))


def latex_names(*programs: Program) -> dict[str, str]:
    """LaTeX of symbols, as the algorithms declare it."""
    out: dict[str, str] = {}
    for p in programs:
        out |= {h.name: h.latex for h in p.algorithm.hyperparameters if h.latex}
        out |= {s.name: s.latex for s in p.algorithm.states if s.latex} | dict(p.algorithm.latex)
    return out


def _conditions(attempt: Induction) -> Iterator[str]:
    q = attempt.question
    left, right = (dict(p.bindings) for p in (q.a, q.b))
    for name in dict.fromkeys((*left, *right)):
        if left.get(name) == right.get(name):
            yield f"{name} = {infix(left[name])}"
            continue
        for p, bound in ((q.a, left), (q.b, right)):
            if name in bound:
                yield f"{name} = {infix(bound[name])} in {p.label or p.algorithm.full_name}"
    for name, domain in dict.fromkeys((*q.a.restrictions, *q.b.restrictions)):
        yield f"{name} in {domain}"
    if q.constant:
        yield f"{' and '.join(sorted(q.constant))} constant from step to step"
    for p in sorted(attempt.divided, key=str):
        yield f"{attempt.ring.to_sympy(attempt.ring.poly(p))} is not 0"
    for p in sorted(attempt.rooted, key=str):
        yield f"{attempt.ring.to_sympy(attempt.ring.poly(p))} is not negative"


def _preliminaries(attempt: Induction) -> Iterator[Step]:
    q = attempt.question
    start = (
        "after the first one, which is a case below" if attempt.after_first else "they start alike"
    )
    if q.relation.is_identity:
        kept = ", ".join(sorted(attempt.compared))
        yield Step(f"By induction over the steps, both keep the same {kept}; {start}.")
    else:
        translator = Translator(q.a)
        displays = tuple(
            _display(q, translator.expression(value), f"{name}_b")
            for name, value in q.relation.equations
        )
        yield Step(
            f"By induction over the steps, these equations hold after each; {start}.", displays
        )
    read = {*q.a.free, *q.b.free, *q.relation.reads()}
    ranges = [f"{name} in {d}" for name, d in attempt.leaves.domains.items() if name in read]
    invariant = "".join(
        f"; {name} >= 0, which its equations keep" for name in sorted(attempt.invariant)
    )
    yield Step(f"Assumed: {', '.join(ranges)}{invariant}.")


def _case(attempt: Induction, case: Case) -> Step:
    """What both programs compute in one case, and the form that both have."""
    facts = list(case.context.facts.describe(attempt.ring))
    facts += [f"{name} absent" for name in sorted(case.absent)]
    facts += [f"{name} of b absent" for name in sorted(case.absent_in_b - case.absent)]
    facts += ["the first step"] if case.first else []
    title = f"Case {', '.join(facts)}." if facts else "In every case."
    if case.expected is None or case.got is None:
        return Step(f"{title} Neither step is defined here.")
    displays = [*_written(attempt, case)]
    with suppress(UnsupportedError):  # the time is up: the proof stands, factors are not shown
        displays += _canonical(attempt, case)
    return Step(f"{title} Both steps have one canonical form.", tuple(displays))


def _canonical(attempt: Induction, case: Case) -> Iterator[Display]:
    """What both steps leave, in factors."""
    q, ring = attempt.question, attempt.ring
    assert case.got is not None
    known: Names = {}
    own = "" if q.relation.is_identity else "_b"
    for name in sorted(attempt.compared & set(case.got), key=lambda n: n == ir.THETA):
        left = f"{name}{own}'"
        stored = ring.variable(ring.keys["stored", ir.THETA]) if name == ir.THETA else None
        form = _pretty(case.context, case.got[name], known, stored)
        yield _display(q, form, f"both: {left}")
        if not case.got[name].denominator and len(case.got[name].numerator) > 1:
            known[case.got[name].numerator] = sympy.Symbol(left, real=True)


def _display(question: Question, expr: sympy.Basic, left: str = "") -> Display:
    return Display.of(expr, latex_names(question.a, question.b), left)


def _pretty(context: Context, x: Ratio, known: Names, stored: Ratio | None = None) -> sympy.Expr:
    """A value in factors, each with the sign that it has; the stored value stands apart.

    `known` are polynomials that were named before: the new second moment in an update, say.
    """
    ring = context.ring
    if stored is not None:
        change = ring.subtract(x, stored)
        if len(change.numerator) < len(x.numerator) or change.denominator:
            return ring.to_sympy(stored) + _pretty(context, change, known)
    if not x.numerator:
        return sympy.Integer(0)
    number, factors = ring.factors(x.numerator)
    out = sympy.Rational(number.numerator, number.denominator)
    for f, k in (*factors, *((g, -e) for g, e in x.denominator)):
        flipped = -f in known or (f not in known and 1 not in context.signs_of_factor(f))
        out = out * (-1 if flipped and k % 2 else 1)
        out = out * ring.to_sympy(Ratio(-f if flipped else f), known) ** k
    return out


def _written(attempt: Induction, case: Case) -> Iterator[Display]:
    """The new parameter as each program writes it, along the branches that the case took.

    In other variables: as the relation makes it of a's, and as b makes it of the related
    quantities.
    """
    q = attempt.question
    if case.first:
        return
    start = stored_symbols(q.a, case.absent)
    a = _follow(q.a, case.answers[0], start)
    translator = Translator(q.a, stored="{}")
    yield _display(q, translator.expression(a[ir.THETA]), "a: theta'")
    if q.relation.is_identity:
        b = _follow(q.b, case.answers[1], stored_symbols(q.b, case.absent_in_b))
        yield _display(q, translator.expression(b[ir.THETA]), "b: theta'")
        return
    domain, given = _silent(), given_symbols(q.a)
    image = q.relation.values(q.a, q.b, domain, given, a)
    yield _display(q, translator.expression(image[ir.THETA]), "a, related: theta_b'")
    own = {name: ir.Prev(f"{name}_b") for name in stored_symbols(q.b, case.absent_in_b)}
    b = _follow(q.b, case.answers[1], own)
    yield _display(q, translator.expression(b[ir.THETA]), "b: theta_b'")
    b = _follow(q.b, case.answers[1], q.relation.values(q.a, q.b, domain, given, start))
    yield _display(q, translator.expression(b[ir.THETA]), "b, substituted: theta_b'")


def _follow(
    program: Program, answers: tuple[bool, ...], start: Mapping[str, ir.Expr]
) -> dict[str, ir.Expr]:
    """The step's values as IR, along a path that is known."""
    left = iter(answers)
    domain, given = IrDomain(lambda condition: next(left)), given_symbols(program)
    return Execution(program, domain, given, start, bound_values(program, domain, given)).run()


def _silent() -> IrDomain:
    """A domain for expressions without branches."""
    return IrDomain(lambda condition: False)


def _closing(attempt: Induction) -> Iterator[Step]:
    if attempt.rules:
        used = "; ".join(attempt.rules)
        yield Step(
            f"Roots of products were taken factor by factor, which is allowed because {used}."
        )
    yield Step("So what holds before a step holds after it, and it holds at the start.")
