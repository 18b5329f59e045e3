"""How strong the checks of schedules are: what becomes of every mutant of every form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

import mpmath

from instep.conformance.schedules.judge import compare
from instep.conformance.schedules.mutate import Mutant, simulated
from instep.conformance.schedules.oracle import Form, Table, forms, table
from instep.conformance.schedules.probes import Probe, ProbeFactory
from instep.conformance.schedules.values import value_probes
from instep.conformance.verdict import LOOSE, Severity, Tally
from instep.spec import ir
from instep.spec.algebra import equal, step_map
from instep.spec.algebra.execute import UnsupportedError
from instep.spec.arguments import OptionValue
from instep.spec.arithmetic import Exact
from instep.spec.errors import SpecError
from instep.spec.model import Algorithm
from instep.spec.options import assignments, live_states
from instep.spec.rewriting import rewrite, rewrite_body
from instep.spec.scheduling import EPOCH

STATUSES = ("killed", "equivalent", "argued", "undecided", "survived")

# Equivalent for a reason that the algebra does not have; held at 60 digits on every value probe.
AT_RESTARTS = "the two lengths differ at restarts alone, where the angle is 0 whatever the length"
HALF_TURNS = "the angle changes by whole turns, 2 pi for each round"
SEAMS = "where one phase ends and the next begins both give the same rate"
ARGUED = {
    ("cosine-annealing-warm-restarts", "rate: old length instead of new"): AT_RESTARTS,
    ("cosine-annealing-warm-restarts", "closed_form: old length instead of new"): AT_RESTARTS,
    ("cosine-annealing-warm-restarts", "since_restart: sign flipped"): HALF_TURNS,
    ("cosine-annealing-warm-restarts", "rounds: second term missing"): (
        "restarts are at whole epochs; the half keeps rounding from missing them, no more"
    ),
    ("cyclic-lr", "cycle: step counter one behind"): (
        "it differs at the lowest rate alone, where both ends of the cycle have height 0"
    ),
    ("one-cycle-lr", "progress: strictness of the comparison"): SEAMS,
    ("warmup-stable-decay", "factor: step counter one behind"): SEAMS,
    ("warmup-stable-decay", "factor: strictness of the comparison"): SEAMS,
    ("warmup-stable-decay", "factor: threshold one higher"): SEAMS,
    ("warmup-stable-decay", "factor: w one more"): SEAMS,
    ("warmup-stable-decay", "factor: s one more"): SEAMS,
}


@dataclass(frozen=True)
class Fate:
    """What became of a mutant, and by which check or reason."""

    mutant: Mutant
    algorithm: Algorithm
    status: str
    by: str

    def __str__(self) -> str:
        m = self.mutant
        return f"{self.status}: {self.algorithm.name} {m.name} ({m.form.name}): {m.description}"


class Judge:
    """Decides about mutants of one schedule; what the forms give is computed once for each probe.

    The numbers of a subject that computes the mutant are the interpreter's, without an optimizer.
    """

    def __init__(self, algorithm: Algorithm) -> None:
        self.algorithm = algorithm
        self.forms = forms(algorithm)
        found = value_probes(ProbeFactory(algorithm))
        self.probes = [(one.name, one.probe) for one in found if one.probe is not None]
        self.tables: dict[tuple[str, str], Table] = {
            (name, form.name): table(form, probe)
            for name, probe in self.probes
            for form in self.forms
        }

    def fate(self, mutant: Mutant) -> Fate:
        """Killed by the first value check that fails, else proved or argued to be equivalent."""
        by = self.killer(mutant.form)
        if by:
            return Fate(mutant, self.algorithm, "killed", by)
        original, wrong = mutant.original.algorithm, mutant.form.algorithm
        if not mutant.form.options and same_step(original, wrong):
            return Fate(mutant, self.algorithm, "equivalent", "every path leaves the same")
        argument = ARGUED.get((self.algorithm.name, mutant.name))
        if argument is not None:
            status = "argued" if self.agrees_to_45_digits(mutant) else "survived"
            return Fate(mutant, self.algorithm, status, argument)
        if mutant.form.options:
            return Fate(mutant, self.algorithm, "survived", "an option is ignored")
        verdict = equal(wrong, original)
        known = {"equal": "equivalent", "different": "survived"}
        return Fate(mutant, self.algorithm, known.get(verdict.status, "undecided"), verdict.reason)

    def agrees_to_45_digits(self, mutant: Mutant) -> bool:
        """Whether no value probe tells the mutant apart in exact arithmetic."""
        with mpmath.workdps(60):
            for _, probe in self.probes:
                pairs = zip(
                    simulated(mutant.original, probe, Exact()),
                    simulated(mutant.form, probe, Exact()),
                    strict=True,
                )
                for epoch in pairs:
                    for want, got in zip(*epoch, strict=True):
                        if any(abs(want[k] - got[k]) > mpmath.mpf(10) ** -45 for k in want):
                            return False
        return True

    def killer(self, form: Form) -> str:
        """The first value check that a subject fails which computes this, or nothing."""
        admissible = list(self.forms)
        for name, probe in self.probes:
            try:
                moments = list(simulated(form, probe))
            except SpecError:
                return name
            admissible = [f for f in admissible if self.in_step(moments, name, f, probe)]
            if not admissible:
                return name
        return ""

    def in_step(
        self, moments: list[list[dict[str, float]]], name: str, form: Form, probe: Probe
    ) -> bool:
        """Whether a run is in step with a form."""
        tally = Tally(widest=True, limit=LOOSE)
        for epoch, (got, row) in enumerate(zip(moments, self.tables[name, form.name], strict=True)):
            for lanes in compare(epoch, got, row, probe.rates):
                if tally.add(lanes) is Severity.OUT:
                    return False
        return True


def same_step(a: Algorithm, b: Algorithm) -> bool:
    """Whether every path through two bodies leaves the same expressions in what matters.

    The first epoch, whose states are the initial values, is compared by itself; of the others it is
    known that t > 0. What matters are the entries, and the states that they come to depend on.
    """
    assert a.schedule is not None
    for options in assignments(a):
        entries = {name for name, _ in a.schedule.entries} & set(live_states(a, options))
        for first in (False, True):
            left, right = (_paths(x, options, first=first) for x in (a, b))
            if left is None or right is None or not _alike(left, right, entries):
                return False
    return True


Paths = dict[frozenset[tuple[ir.Expr, bool]], dict[str, ir.Expr]]


def _paths(algorithm: Algorithm, options: dict[str, OptionValue], *, first: bool) -> Paths | None:
    if first:
        body = rewrite_body(algorithm.body, lambda x: _ZERO if x == _T else None)
        algorithm = replace(algorithm, body=body)
    try:
        found = step_map(algorithm, options=options).paths
    except UnsupportedError:
        return None
    out: Paths = {}
    for path in found:
        conditions = {(_initial(algorithm, c) if first else c, yes) for c, yes in path.conditions}
        if not first and conditions & IMPOSSIBLE:
            continue
        kept = frozenset(conditions - CERTAIN)
        out[kept] = {
            name: _initial(algorithm, value) if first else value
            for name, value in path.values.items()
        }
    return out


_T, _ZERO = ir.Sym(EPOCH), ir.Const(0)
CERTAIN = {(ir.Compare("==", _T, _ZERO), False), (ir.Compare(">", _T, _ZERO), True)}
IMPOSSIBLE = {(c, not yes) for c, yes in CERTAIN}


def _initial(algorithm: Algorithm, expr: ir.Expr) -> ir.Expr:
    starts = {s.name: s.init for s in algorithm.states}
    return rewrite(expr, lambda x: starts.get(x.name) if isinstance(x, ir.Prev) else None)


def _alike(left: Paths, right: Paths, needed: set[str]) -> bool:
    """The same paths, and the same values of what is needed after them."""
    while True:
        read = {n.name for c in (*left, *right) for e, _ in c for n in ir.walk(e) if _stored(n)}
        for values in (*left.values(), *right.values()):
            for name in needed & set(values):
                read |= {n.name for n in ir.walk(values[name]) if _stored(n)}
        if read <= needed:
            break
        needed = needed | read
    if set(left) != set(right):
        return False
    return all(left[c].get(n) == right[c].get(n) for c in left for n in needed)


def _stored(node: ir.Expr) -> bool:
    return isinstance(node, ir.Prev)


def table_of(fates: Iterable[Fate]) -> str:
    """Counts by schedule and status."""
    rows: dict[str, Counter[str]] = {}
    for fate in fates:
        rows.setdefault(fate.algorithm.name, Counter())[fate.status] += 1
    total: Counter[str] = sum(rows.values(), Counter())
    head = f"{'schedule':<40}" + "".join(f"{s:>12}" for s in STATUSES)
    lines = [
        f"{name:<40}" + "".join(f"{counts[s] or '.':>12}" for s in STATUSES)
        for name, counts in [*rows.items(), ("all", total)]
    ]
    return "\n".join([head, *lines])
