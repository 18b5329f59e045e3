"""Whether what is declared and assigned is read, whatever the options."""

from __future__ import annotations

from collections.abc import Mapping

from instep.spec import ir, model
from instep.spec.arguments import OptionValue
from instep.spec.assignment import Paths, describe, fail
from instep.spec.options import assignments, decide, options_of


def every_assignment(algorithm: model.Algorithm) -> set[str]:
    """Check every body that options can leave; return the names that any of them reads."""
    paths, used, count = Paths(algorithm), _read_by_views(algorithm), 0
    for options in assignments(algorithm):
        read = paths.check(options) | _read_by_views(algorithm)
        _idle_hyperparameters(algorithm, options, read)
        used |= read
        count += 1
    if count == 0:
        fail(algorithm, "require", "no assignment of options meets the requirements")
    return used


def _read_by_views(algorithm: model.Algorithm) -> set[str]:
    exprs = [x for v in algorithm.views for x in (v.value, v.inverse) if x is not None]
    return {n.name for x in exprs for n in ir.walk(x) if isinstance(n, ir.Sym)}


def _idle_hyperparameters(
    algorithm: model.Algorithm, options: Mapping[str, OptionValue], read: set[str]
) -> None:
    idle = [h.name for h in algorithm.hyperparameters if h.name not in read]
    if not idle:
        return
    excused = {e.name for e in algorithm.exclusions if decide(e.condition, options)}
    for name in idle:
        if name not in excused:
            chosen = describe(algorithm, options)
            fail(algorithm, name, f"is never used{chosen}; use it, or exclude() it there")


def nothing_idle(algorithm: model.Algorithm, used: set[str]) -> None:
    """No option, state or local is without effect."""
    mentioned = {n.name for n in ir.nodes(algorithm.body) if isinstance(n, ir.Opt)}
    mentioned |= {name for r in algorithm.refusals for name in options_of(r.condition)}
    for o in algorithm.options:
        if o.name not in mentioned and len(o.values) > 1:
            fail(algorithm, o.name, "the option changes nothing; use it, or leave it out")
    written = ir.assigned(algorithm.body)
    if algorithm.schedule is not None:  # the optimizer reads them
        used = used | {name for name, _ in algorithm.schedule.entries}
    for s in algorithm.states:
        if s.name not in written and not _remembers(s):
            fail(algorithm, s.name, "the state is never written")
        if s.name not in used:
            fail(algorithm, s.name, "the state is never read")
    for let in ir.lets(algorithm.body):
        if let.target.name not in used | {ir.THETA}:
            fail(algorithm, let.equation, f"{let.target.name} is never read", let.line)


def _remembers(s: model.State) -> bool:
    """Whether a state tells where the parameter began, if nothing is ever stored in it."""
    return s.init is not None and ir.Sym(ir.THETA) in ir.walk(s.init)
