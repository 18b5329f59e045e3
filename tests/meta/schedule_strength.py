"""How strong the checks of schedules are: what becomes of every mutant of every form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from instep.conformance.schedules.judge import compare
from instep.conformance.schedules.mutate import Mutant, simulated
from instep.conformance.schedules.oracle import Form, Table, forms, table
from instep.conformance.schedules.probes import Probe, ProbeFactory
from instep.conformance.schedules.values import value_probes
from instep.conformance.verdict import LOOSE, Severity, Tally
from instep.spec.errors import SpecError
from instep.spec.model import Algorithm

STATUSES = ("killed", "equivalent", "survived")


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
        self.probes = [(name, probe) for name, _, probe in found if probe is not None]
        self.tables: dict[tuple[str, str], Table] = {
            (name, form.name): table(form, probe)
            for name, probe in self.probes
            for form in self.forms
        }

    def fate(self, mutant: Mutant) -> Fate:
        """Killed by the first value check that fails."""
        by = self.killer(mutant.form)
        return Fate(mutant, self.algorithm, "killed" if by else "survived", by)

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
