"""Mutants of schedules: what a form turns into by one realistic mistake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from instep.conformance.mutate import Mutant as AnyMutant
from instep.conformance.mutate import bodies
from instep.conformance.mutate.expressions import Change, Mutator, Names, changed
from instep.conformance.schedules.oracle import Form, Runner, forms
from instep.conformance.schedules.probes import Probe, ProbeFactory
from instep.spec import ir
from instep.spec.arithmetic import Arithmetic, Float64
from instep.spec.errors import SpecError
from instep.spec.model import Algorithm
from instep.spec.render import expression_text
from instep.spec.rewriting import rewrite_body
from instep.spec.scheduling import BASE


@dataclass(frozen=True)
class Mutant:
    """One mistake in one form.

    Attributes:
        name: `<equation>: <kind>`.
        equation: the equation that is wrong.
        kind: the kind of mistake.
        description: what is computed instead.
        form: the form with the mistake.
        original: the form without it.
    """

    name: str
    equation: str
    kind: str
    description: str
    form: Form
    original: Form


def mutants(algorithm: Algorithm) -> Iterator[Mutant]:
    """Mutants of every form, each once; those that read what nothing assigns are left out."""
    probe = ProbeFactory(algorithm).make("try", epochs=3)
    for form in forms(algorithm):
        seen = {_key(form)}
        for mutant in (*_of_equations(form), *_of_options(form)):
            if _key(mutant.form) not in seen and _runs(mutant.form, probe):
                seen.add(_key(mutant.form))
                yield mutant


def _key(form: Form) -> object:
    a = form.algorithm
    return a.body, a.states, a.counter, tuple(sorted(form.options.items()))


def _of_equations(form: Form) -> Iterator[Mutant]:
    algorithm = form.algorithm
    for source in (bodies.everywhere, bodies.in_equations, bodies.structure, bodies.states):
        for found in source(algorithm):
            yield _as_mutant(form, found)
    for let in list(ir.lets(algorithm.body)):
        for mutator in _OWN:
            for kind, value in changed(let.value, mutator, Names(algorithm)):
                body = bodies.edited(algorithm.body, let, _instead(replace(let, value=value)))
                shown = f"{let.target.name} = {expression_text(value, ascii=True)}"
                yield _mutant(form, body, let.equation, kind, shown)
    for branch in [s for s in ir.statements(algorithm.body) if isinstance(s, ir.If)]:
        if not ir.is_static(branch.condition):
            yield from _of_condition(form, branch)
    yield from _of_periods(form)


def _of_periods(form: Form) -> Iterator[Mutant]:
    """A period one longer or shorter wherever it is read."""
    for h in form.algorithm.hyperparameters:
        if h.domain.integer:
            for op, word in (("+", "more"), ("-", "less")):
                period = ir.Sym(h.name)
                moved: dict[ir.Expr, ir.Expr] = {period: ir.Binary(op, period, ir.Const(1))}
                body = rewrite_body(form.algorithm.body, moved.get)
                wrong = replace(form, algorithm=replace(form.algorithm, body=body))
                kind = f"{h.key} one {word} everywhere"
                yield Mutant(f"hyperparameters: {kind}", "", kind, f"{h.key} {op} 1", wrong, form)


def _of_condition(form: Form, branch: ir.If) -> Iterator[Mutant]:
    inside = next((s.equation for s in ir.lets(branch.then)), "branch")
    for mutator in _OWN:
        for kind, value in changed(branch.condition, mutator, Names(form.algorithm)):
            body = bodies.edited(
                form.algorithm.body, branch, _instead(replace(branch, condition=value))
            )
            shown = f"if {expression_text(value, ascii=True)}"
            yield _mutant(form, body, inside, kind, shown)


def _instead(statement: ir.Stmt) -> bodies.Edit:
    return lambda _: (statement,)


def _of_options(form: Form) -> Iterator[Mutant]:
    """An option that the constructor takes and nobody reads."""
    for option in form.algorithm.options:
        for value in option.values:
            kind = f"{option.name} ignored, always {value}"
            wrong = replace(form, options={option.name: value})
            yield Mutant(f"options: {kind}", "", kind, kind, wrong, form)


def _as_mutant(form: Form, found: AnyMutant) -> Mutant:
    wrong = replace(form, algorithm=found.model.algorithm)
    return Mutant(found.name, found.equation, found.kind, found.description, wrong, form)


def _mutant(form: Form, body: ir.Body, equation: str, kind: str, shown: str) -> Mutant:
    wrong = replace(form, algorithm=replace(form.algorithm, body=body))
    return Mutant(f"{equation}: {kind}", equation, kind, shown, wrong, form)


# ---- mistakes that schedules invite


def rates(node: ir.Expr, names: Names) -> Iterator[Change]:
    """The first rate for the present one, and the other way round."""
    match node:
        case ir.Sym(name) if name == BASE:
            yield "the present rate for the first one", ir.Prev("lr")
        case ir.Prev("lr"):
            yield "the first rate for the present one", ir.Sym(BASE)


def periods(node: ir.Expr, names: Names) -> Iterator[Change]:
    """A period one longer or shorter, an epoch missed by one."""
    one = ir.Const(1)
    match node:
        case ir.Sym(name) if name in names.hyperparameters and _whole(names, name):
            yield f"{name} one more", ir.Binary("+", node, one)
            yield f"{name} one less", ir.Binary("-", node, one)
        case ir.Compare("==", a, b):
            yield "one epoch late", ir.Compare("==", a, ir.Binary("+", b, one))
            yield "one epoch early", ir.Compare("==", a, ir.Binary("-", b, one))
            yield "from then on", ir.Compare(">=", a, b)
        case ir.Call("floor", (a,)):
            yield "floor missing", a
            yield "rounded up", ir.Negate(ir.Call("floor", (ir.Negate(a),)))
        case ir.Call("cos", (a,)):
            yield "cosine missing", a
        case ir.Logic("and", (a, b)):
            yield "first condition missing", b
            yield "second condition missing", a


def _whole(names: Names, name: str) -> bool:
    return names.algorithm.hyperparameter(name).domain.integer


_OWN: tuple[Mutator, ...] = (rates, periods)


def _runs(form: Form, probe: Probe | None) -> bool:
    """Whether a body assigns what it reads."""
    try:
        list(() if probe is None else simulated(form, probe))
    except SpecError:
        return False
    return True


def simulated(
    form: Form, probe: Probe, arithmetic: Arithmetic | None = None
) -> Iterator[list[dict[str, Any]]]:
    """The entries of every group at every epoch, in plain float64 or another number type."""
    number = arithmetic or Float64()
    runners = [Runner(form, probe, group, number) for group in range(len(probe.rates))]
    for epoch in range(probe.epochs + 1):
        changed_here = probe.changes.get(epoch)
        if changed_here is not None:
            runners[changed_here[0]].set("lr", number.number(changed_here[1]))
        with np.errstate(all="ignore"):
            found = [runner.step(epoch) for runner in runners]
        if arithmetic is not None:
            yield found
        else:
            yield [{name: float(x) for name, x in entries.items()} for entries in found]
