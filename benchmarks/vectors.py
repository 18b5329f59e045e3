"""How strong the test vectors are: mutants that a replay of the files rejects.

    python benchmarks/vectors.py [dialect ...]

Of each dialect that is named, or of those that names mean by default: files and bytes, how many
lanes have no bound or several results, and how many mutants at least one file rejects, beside how
many there are that the sweep in strength.json did not prove equivalent. Files whose bounds are of
no use are left out, as `instep vectors` leaves them out.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SAVED = Path(__file__).with_name("strength.json")
sys.path.insert(0, str(ROOT / "tests"))  # the mutants are those of the tests

from instep import spec  # noqa: E402
from instep.conformance.mutate import Mutant  # noqa: E402
from instep.conformance.vectors.cases import cases, reason_against  # noqa: E402
from instep.conformance.vectors.document import document, profile_of, text  # noqa: E402
from instep.conformance.vectors.drivers import Interpreted  # noqa: E402
from instep.conformance.vectors.expected import expected  # noqa: E402
from instep.conformance.vectors.replay import replay  # noqa: E402
from instep.spec.arithmetic import Float64  # noqa: E402
from instep.spec.errors import SpecError  # noqa: E402
from instep.spec.model import Algorithm  # noqa: E402
from meta.strength import all_mutants  # noqa: E402

COLUMNS = ("files", "KiB", "lanes", "boundless", "open", "mutants", "rejected", "seconds")


def main(arguments: list[str]) -> None:
    """A line for each dialect, what no file rejects, and the share of all."""
    named = [a for a in arguments if not a.startswith("--")]
    chosen = [spec.get(name).full_name for name in named] or sorted(
        {spec.get(name).full_name for name in spec.names()}
    )
    known = json.loads(SAVED.read_text())
    total, killed, left = 0, 0, []
    print(row("dialect", COLUMNS))
    for name in chosen:
        algorithm = spec.get(name)
        if reason_against(algorithm):
            print(row(name, ["."] * len(COLUMNS)), reason_against(algorithm))
            continue
        started = time.process_time()
        records, figures = files(algorithm)
        mutants = list(all_mutants(algorithm))
        unseen = [m for m in mutants if not rejects(records, m)]
        seconds = round(time.process_time() - started)
        cells = [*figures, len(mutants), len(mutants) - len(unseen), seconds]
        print(row(name, cells), flush=True)
        equal = known.get(name, {}).get("equivalent", 0)
        total, killed = total + len(mutants) - equal, killed + len(mutants) - len(unseen)
        left += [f"{name} {m.name}: {m.description}" for m in unseen]
    print(f"\nrejected: {killed} of {total} mutants that are not proved equivalent\n")
    print("\n".join(left))


def files(algorithm: Algorithm) -> tuple[list[dict[str, Any]], list[int]]:
    """What would be written, and its figures."""
    records, figures = [], [0, 0, 0, 0, 0]
    for case in cases(algorithm):
        found = expected(algorithm, case.probe, profile_of(case.probe.dtype))
        if found.sharp:
            records.append(document(algorithm, case, found))
            one = (1, len(text(records[-1])), found.lanes, found.boundless, found.open_lanes)
            figures = [a + b for a, b in zip(figures, one, strict=True)]
    figures[1] //= 1024
    return records, figures


def rejects(records: Iterable[dict[str, Any]], mutant: Mutant) -> bool:
    """Whether a file shows that a mutant computes something else."""
    start = partial(Interpreted, mutant.model, Float64())
    try:
        return any(replay(record, start).rejected for record in records)
    except (SpecError, ValueError, OverflowError):  # its shapes need not fit each other
        return True


def row(name: str, cells: Iterable[object]) -> str:
    """A line of the table."""
    return f"{name:<30}" + "".join(f"{c:>10}" for c in cells)


if __name__ == "__main__":
    main(sys.argv[1:])
