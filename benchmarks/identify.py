"""What `instep identify` says of every optimizer class of eleven packages.

    python benchmarks/identify.py [--write] [package ...]

Prints the confusion table: what classes are called against what they are found to be. `--write`
keeps it as benchmarks/identify.md, and each finding in docs/data/libraries.json, which the
documentation shows. It takes about ten minutes on two cores.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # what is surveyed is what the tests survey

from rich.progress import track  # noqa: E402

from meta.survey import PACKAGES, Finding, survey, targets  # noqa: E402

COMMAND = "python benchmarks/identify.py --write"
DATA = ROOT / "docs" / "data" / "libraries.json"
TABLE = ROOT / "benchmarks" / "identify.md"
OUTCOMES = ("the name it bears", "another name", "nothing known", "does not run")


def main(arguments: Sequence[str]) -> None:
    """Survey, print, and keep what was found if asked to."""
    packages = [a for a in arguments if not a.startswith("-")] or list(PACKAGES)
    findings = survey_all(packages)
    text = report(findings)
    print(text)
    if "--write" in arguments:
        DATA.parent.mkdir(exist_ok=True)
        plain = {"command": COMMAND, "findings": [f.to_json() for f in findings]}
        DATA.write_text(json.dumps(plain, indent=1) + "\n")
        TABLE.write_text(text)


def survey_all(packages: Sequence[str]) -> list[Finding]:
    """Findings in the order of packages and names, one process for each core."""
    wanted = [target for package in packages for target in targets(package)]
    # A class that leaves threads or global state behind spoils no other.
    context = multiprocessing.get_context("spawn")
    workers = len(os.sched_getaffinity(0))
    with context.Pool(workers, maxtasksperchild=20) as pool:
        done = pool.imap(survey, wanted)
        return list(track(done, "identifying", total=len(wanted), transient=True))


def report(findings: Sequence[Finding]) -> str:
    """The tables as Markdown."""
    slowest = max(findings, key=lambda f: f.seconds)
    parts = [
        f"# What `instep identify` says\n\nMeasured by `{COMMAND}`.\n",
        confusion(findings),
        "## Found to be something else than the name says\n\n" + listed(findings, "another name"),
        "## In the catalogue by name, and nothing known\n\n"
        + listed([f for f in findings if f.claim], "nothing known"),
        "## Not run\n\n" + reasons(findings),
        f"The slowest took {slowest.seconds:.0f} s of one core: {name(slowest)}.\n",
    ]
    return "\n".join(parts)


def confusion(findings: Sequence[Finding]) -> str:
    """Counts by package: classes whose name is in the catalogue, then the others."""
    lines = ["| package | name in the catalogue | " + " | ".join(OUTCOMES) + " |"]
    lines.append("|---|---|" + "---:|" * len(OUTCOMES))
    packages = dict.fromkeys((f.package, f.version) for f in findings)
    for package, version in packages:
        for claimed in (True, False):
            own = [f for f in findings if f.package == package and bool(f.claim) == claimed]
            counts = Counter(f.outcome for f in own)
            if own:
                cells = " | ".join(str(counts[o] or ".") for o in OUTCOMES)
                lines.append(f"| {package} {version} | {'yes' if claimed else 'no'} | {cells} |")
    total = Counter(f.outcome for f in findings)
    lines.append("| all | | " + " | ".join(str(total[o]) for o in OUTCOMES) + " |")
    return "\n".join(lines) + "\n"


def listed(findings: Sequence[Finding], outcome: str) -> str:
    """A line for each finding of an outcome."""
    chosen = [f for f in findings if f.outcome == outcome]
    lines = [f"- {name(f)}: {', '.join(f.matches) or 'nothing known'}" for f in chosen]
    return "\n".join(lines or ["none"]) + "\n"


def reasons(findings: Sequence[Finding]) -> str:
    """Why classes could not be run."""
    lines = [f"- {name(f)}: {f.reason[:160]}" for f in findings if f.reason]
    return "\n".join(lines or ["none"]) + "\n"


def name(finding: Finding) -> str:
    """`torch.optim.Adam(amsgrad=True)`."""
    bound = ", ".join(f"{k}={v!r}" for k, v in finding.keywords.items())
    return f"{finding.package}.{finding.name}" + (f"({bound})" if bound else "")


if __name__ == "__main__":
    main(sys.argv[1:])
