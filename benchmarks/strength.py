"""How strong the suite is: mutants, false alarms, bugs.

    python benchmarks/strength.py [--save] [dialect ...]

Sweeps every mutant of the dialects that are named, or of all (some hours on one core). With
`--save`, what becomes of a dialect's mutants is written to strength.json as soon as it is known,
and what stands there for this very code is not swept again.

    python benchmarks/strength.py --saved

Prints the figures that stand in strength.json.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SAVED = Path(__file__).with_suffix(".json")
sys.path.insert(0, str(ROOT / "tests"))  # the subjects are those of the tests

import torch  # noqa: E402

from instep import spec  # noqa: E402
from instep.conformance.suite import Session, check  # noqa: E402
from meta.broken import BEHAVIOUR, BUGS, EQUATIONS  # noqa: E402
from meta.correct import REWRITES  # noqa: E402
from meta.strength import STATUSES, Fate, Judge, all_mutants, table  # noqa: E402

WIDTH = 52


def main(arguments: list[str]) -> None:
    """Print the three figures, or those that were saved."""
    torch.set_num_threads(1)
    named = [a for a in arguments if not a.startswith("--")]
    if "--saved" in arguments:
        print_saved()
        return
    started = time.perf_counter()
    if "--save" in arguments:
        save_mutants(named or spec.dialects())
        return
    print_mutants(named or spec.dialects())
    print_false_alarms()
    print_bugs()
    print(f"\n{time.perf_counter() - started:.0f} s")


def print_mutants(dialects: list[str]) -> None:
    """Mutants by dialect, then by kind, then those that are neither killed nor equivalent."""
    fates: list[Fate] = []
    print(_row("dialect", STATUSES))
    for name in dialects:
        own = sweep(name)
        counts = Counter(f.status for f in own)
        print(_row(name, [counts[s] or "." for s in STATUSES]), flush=True)
        fates += own
    print(f"\n{table(fates)}\n")
    for fate in fates:
        if fate.status not in ("killed", "equivalent"):
            print(fate)


def sweep(name: str) -> list[Fate]:
    """What becomes of each mutant of a dialect."""
    algorithm = spec.get(name)
    judge = Judge(algorithm)
    return [judge.fate(m) for m in all_mutants(algorithm)]


def save_mutants(dialects: list[str]) -> None:
    """Sweep those that were not swept at this commit, and write each down at once."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"],
        cwd=ROOT,
        check=True,
        text=True,
        capture_output=True,
    ).stdout.strip()
    for name in dialects:
        if saved().get(name, {}).get("commit") == commit:
            continue
        started = time.process_time()
        own = sweep(name)
        entry = {
            "commit": commit,
            "seconds": round(time.process_time() - started),
            **{s: sum(f.status == s for f in own) for s in STATUSES},
            "open": [str(f) for f in own if f.status not in ("killed", "equivalent")],
        }
        SAVED.write_text(
            json.dumps(dict(sorted({**saved(), name: entry}.items())), indent=1) + "\n"
        )
        print(_row(name, [entry[s] or "." for s in STATUSES]), flush=True)


def saved() -> dict[str, dict[str, Any]]:
    """What strength.json holds: by dialect, counts by status and what is open."""
    return json.loads(SAVED.read_text()) if SAVED.exists() else {}


def print_saved() -> None:
    """Counts by dialect and in all, what is open, and which dialects were never swept."""
    entries = saved()
    print(_row("dialect", [*STATUSES, "commit"]))
    for name, entry in entries.items():
        print(_row(name, [*(entry[s] or "." for s in STATUSES), entry["commit"][:7]]))
    print(_row(f"all {len(entries)}", [sum(e[s] for e in entries.values()) for s in STATUSES]))
    print(f"mutants: {sum(e[s] for e in entries.values() for s in STATUSES)}\n")
    print("\n".join(line for entry in entries.values() for line in entry["open"]))
    missing = [d for d in spec.dialects() if d not in entries]
    print(f"\nnot swept: {', '.join(missing) or 'none'}")


def _row(name: str, cells: Iterable[object]) -> str:
    return f"{name:<{WIDTH}}" + "".join(f"{c:>11}" for c in cells)


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
