"""How strong the checks of schedulers are: mutants, false alarms, bugs.

    python benchmarks/schedules.py [schedule ...]

Sweeps every mutant of every schedule (about five minutes on one core), or of those that are named.
`argued` mutants are equivalent for a reason that is written down and that 45 digits confirm.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # the subjects are those of the tests

import torch  # noqa: E402

from instep import spec  # noqa: E402
from instep.conformance.schedules.mutate import mutants  # noqa: E402
from instep.conformance.schedules.suite import Session, check_scheduler  # noqa: E402
from meta.broken.schedulers import BUGS  # noqa: E402
from meta.correct.schedulers import CORRECT  # noqa: E402
from meta.schedule_strength import Judge, table_of  # noqa: E402


def main(names: list[str]) -> None:
    """Print the three figures."""
    torch.set_num_threads(1)
    fates = []
    for name in names or spec.schedule_names():
        judge = Judge(spec.get(name))
        fates += [judge.fate(m) for m in mutants(judge.algorithm)]
    print(table_of(fates))
    for fate in fates:
        if fate.status not in ("killed", "equivalent"):
            print(f"{fate}; {fate.by}")
    alarms = [name for subject, name in CORRECT if not check_scheduler(subject, name).ok]
    print(f"\nfalse alarms: {len(alarms)} of {len(CORRECT)} correct schedulers {alarms or ''}")
    sessions = [(Session(b.subject, b.spec), b) for b in BUGS]
    found = sum(s.run(f"{s.prefix}/{b.check}").status == "failed" for s, b in sessions)
    print(f"bugs found: {found} of {len(BUGS)}")


if __name__ == "__main__":
    main(sys.argv[1:])
