"""How strong the suite is: mutants, false alarms, bugs.

    python benchmarks/strength.py [dialect ...]

Sweeps every mutant of every dialect (about ten minutes on one core), or of those that are named.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # the subjects are those of the tests

import torch  # noqa: E402

from instep import spec  # noqa: E402
from instep.conformance.suite import Session, check  # noqa: E402
from meta.broken import BEHAVIOUR, BUGS, EQUATIONS  # noqa: E402
from meta.correct import REWRITES  # noqa: E402
from meta.strength import STATUSES, Fate, Judge, all_mutants, table  # noqa: E402


def main(dialects: list[str]) -> None:
    """Print the three figures."""
    torch.set_num_threads(1)
    started = time.perf_counter()
    print_mutants(dialects or spec.dialects())
    print_false_alarms()
    print_bugs()
    print(f"\n{time.perf_counter() - started:.0f} s")


def print_mutants(dialects: list[str]) -> None:
    """Mutants by dialect, then by kind, then those that are neither killed nor equivalent."""
    fates: list[Fate] = []
    print(f"{'dialect':<68}" + "".join(f"{s:>11}" for s in STATUSES))
    for name in dialects:
        algorithm = spec.get(name)
        judge = Judge(algorithm)
        own = [judge.fate(m) for m in all_mutants(algorithm)]
        counts = Counter(f.status for f in own)
        print(f"{name:<68}" + "".join(f"{counts[s] or '.':>11}" for s in STATUSES), flush=True)
        fates += own
    print(f"\n{table(fates)}\n")
    for fate in fates:
        if fate.status not in ("killed", "equivalent"):
            print(fate)


def print_false_alarms() -> None:
    """Correct rewrites that a MUST check fails."""
    alarms = []
    for rewrite in REWRITES:
        for lacks in ((), ("float64",)):
            if not check(rewrite.subject, rewrite.spec, lacks=lacks).ok:
                alarms.append(f"{rewrite.name} {' '.join(lacks)}".strip())
    shown = f": {', '.join(alarms)}" if alarms else ""
    print(f"\nfalse alarms: {len(alarms)} of {2 * len(REWRITES)} runs", end="")
    print(f" ({len(REWRITES)} correct rewrites, in float64 and in float32 alone){shown}")


def print_bugs() -> None:
    """Broken optimizers that the check for them fails, and those that are named."""
    found, named = Counter(), 0
    for bug in BUGS:
        session = Session(bug.subject, bug.spec)
        result = session.run(f"{session.prefix}/{bug.check}")
        found[bug.numeric] += (result.status, result.level) == ("failed", "must")
        known = session.diagnosis.candidates if session.diagnosis is not None else ()
        named += bug.diagnosis is not None and bug.diagnosis in [c.name for c in known]
    nameable = sum(b.diagnosis is not None for b in BUGS)
    print(f"bugs found: {found[True]} of {len(EQUATIONS)} in equations,", end=" ")
    print(f"{found[False]} of {len(BEHAVIOUR)} in behaviour; named: {named} of {nameable}")


if __name__ == "__main__":
    main(sys.argv[1:])
