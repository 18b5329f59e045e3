"""How strong the suite is: mutants, false alarms, bugs.

    python benchmarks/strength.py [--save | --open] [dialect ...]

Sweeps every mutant of the dialects that are named, or of all, which takes hours on one core. With
`--save`, what becomes of a dialect's mutants is written to strength.json as soon as it is known,
and what stands there for this very code is not swept again. With `--open`, only those are judged
anew that were neither killed nor proved equivalent.

    python benchmarks/strength.py --saved

Prints the figures that stand in strength.json, and how long it took to find them.

    python benchmarks/strength.py --reported

Prints how many of the defects that issue trackers tell of are found, and how many are named.
"""

from __future__ import annotations

import functools
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
from rich.console import Console  # noqa: E402
from rich.progress import track  # noqa: E402

from instep import spec  # noqa: E402
from instep.conformance.mutate import Mutant  # noqa: E402
from instep.conformance.suite import check  # noqa: E402
from meta.broken import BEHAVIOUR, BUGS, EQUATIONS  # noqa: E402
from meta.correct import REWRITES  # noqa: E402
from meta.reported import REPORTED, UNSEEN, Defect  # noqa: E402
from meta.strength import STATUSES, Fate, Judge, all_mutants, table  # noqa: E402

WIDTH = 52
CLOSED = ("killed", "equivalent")


def main(arguments: list[str]) -> None:
    """Print the three figures, or those that were saved."""
    torch.set_num_threads(1)
    named = [a for a in arguments if not a.startswith("--")]
    if "--saved" in arguments:
        print_saved()
        return
    if "--reported" in arguments:
        print_reported()
        return
    started = time.perf_counter()
    if "--save" in arguments:
        save_mutants(named or spec.dialects())
        return
    if "--open" in arguments:
        judge_open(named or list(saved()))
        return
    print_mutants(named or spec.dialects())
    print_false_alarms()
    print_bugs()
    print_reported()
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
        if fate.status not in CLOSED:
            print(fate)


def sweep(name: str) -> list[Fate]:
    """What becomes of each mutant of a dialect."""
    algorithm = spec.get(name)
    judge, mutants = Judge(algorithm), list(all_mutants(algorithm))
    progress = track(mutants, name, console=Console(stderr=True), transient=True)
    return [judge.fate(m) for m in progress]


def save_mutants(dialects: list[str]) -> None:
    """Sweep those that were not swept at this commit, and write each down at once."""
    for name in dialects:
        if saved().get(name, {}).get("commit") == this_commit():
            continue
        started = time.process_time()
        own = sweep(name)
        entry = {
            "commit": this_commit(),
            "seconds": round(time.process_time() - started),
            **{s: sum(f.status == s for f in own) for s in STATUSES},
            "open": [str(f) for f in own if f.status not in CLOSED],
        }
        write_down(name, entry)


def judge_open(dialects: list[str]) -> None:
    """Judge anew what a sweep left open, and write down what became of it and when."""
    for name in dialects:
        entry, algorithm = dict(saved()[name]), spec.get(name)
        before = [line.split(": ", 1) for line in entry["open"]]
        if not before or entry.get("opened") == this_commit():
            continue
        judge = Judge(algorithm)
        again = [m for m in all_mutants(algorithm) if any(is_of(m, text) for _, text in before)]
        if len(again) != len(before):
            print(f"{name}: some are known by one name, or have changed; sweep it with --save")
            continue
        fates = [judge.fate(m) for m in again]
        for status in STATUSES:
            entry[status] += sum(f.status == status for f in fates)
            entry[status] -= sum(old == status for old, _ in before)
        entry["open"] = [str(f) for f in fates if f.status not in CLOSED]
        write_down(name, {**entry, "opened": this_commit()})


def is_of(mutant: Mutant, text: str) -> bool:
    """Whether a line of what is open tells of a mutant."""
    name = mutant.model.algorithm.full_name
    return text.startswith(f"{name} {mutant.name}: {mutant.description} [")


@functools.cache
def this_commit() -> str:
    """The code that is measured."""
    command = ["git", "rev-parse", "--short=12", "HEAD"]
    found = subprocess.run(command, cwd=ROOT, check=True, text=True, capture_output=True)
    return found.stdout.strip()


def write_down(name: str, entry: dict[str, Any]) -> None:
    """Replace what strength.json has of a dialect, and print it."""
    SAVED.write_text(json.dumps(dict(sorted({**saved(), name: entry}.items())), indent=1) + "\n")
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
    hours = sum(e["seconds"] for e in entries.values()) / 3600
    mutants = sum(e[s] for e in entries.values() for s in STATUSES)
    print(f"mutants: {mutants}, swept in {hours:.1f} hours of one core\n")
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
        session = bug.session()
        result = session.run(f"{session.prefix}/{bug.check}")
        found[bug.numeric] += (result.status, result.level) == ("failed", bug.level)
        known = session.diagnosis.candidates if session.diagnosis is not None else ()
        named += bug.diagnosis is not None and bug.diagnosis in [c.name for c in known]
    nameable = sum(b.diagnosis is not None for b in BUGS)
    print(f"bugs found: {found[True]} of {len(EQUATIONS)} in equations,", end=" ")
    print(f"{found[False]} of {len(BEHAVIOUR)} in behaviour; named: {named} of {nameable}")


def print_reported() -> None:
    """Defects that issue trackers tell of: found, named, told by their check, or neither."""
    fates = Counter(fate_of(d) for d in REPORTED)
    sources = {d.source.partition("#")[0] for d in REPORTED}
    families = {d.family for d in REPORTED}
    found = sum(n for fate, n in fates.items() if fate != "missed")
    print(f"reported defects found: {found} of {len(REPORTED) + len(UNSEEN)}", end=" ")
    print(f"({len(families)} algorithms, {len(sources)} repositories);", end=" ")
    print(", ".join(f"{n} {fate}" for fate, n in sorted(fates.items())))


def fate_of(defect: Defect) -> str:
    """What the suite says of a reported defect."""
    session = defect.session()
    result = session.run(f"{session.prefix}/{defect.check}")
    if (result.status, result.level) != (defect.status, "must"):
        return "missed"
    names = [c.name for c in session.diagnosis.candidates] if session.diagnosis else []
    if defect.diagnosis in names:
        return "named"
    if names:
        return "misnamed"
    numeric = session.checks[result.id].numeric
    return "in equations that nothing known explains" if numeric else "told by their check"


if __name__ == "__main__":
    main(sys.argv[1:])
