"""Pages that are made of the package itself while the site is built."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from escaping import escaped
from mkdocs.structure.files import File
from torch_tests import page as torch_tests

from instep.conformance.implementations import FLAGS
from instep.conformance.report.notation import extent
from instep.conformance.suite import catalogue

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

_HEAD = """# Checks

Every check has an id, `<spec>/<topic>/<name>`, a level and one sentence that it requires. A failed
`must` means that parameters, state, loss or a resumed run differ from the spec, or that a
documented contract of `torch.optim.Optimizer` breaks.
"""

_LIBRARIES = """# Which library is which dialect

What every optimizer class of these packages computes, as `instep identify` found by running it. A
dialect is named only if the class is in step with it on every numeric check; "nothing known" means
that the catalogue holds no such equations, or that the class has its own.

Measured by `{command}`.
"""


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the catalogue of checks, which reports link to, and what torch and libraries do."""
    files.append(File.generated(config, "checks.md", content=_checks()))
    files.append(File.generated(config, "torch-tests.md", content=torch_tests()))
    files.append(File.generated(config, "libraries.md", content=_libraries()))
    return files


def _checks() -> str:
    """Every check once; what differs between specifications in a line of its own."""
    found: dict[str, dict[tuple[str, str], list[str]]] = defaultdict(lambda: defaultdict(list))
    specs: dict[str, None] = {}
    for id_, level, requirement in catalogue():
        spec, name = id_.split("/", 1)
        found[name][level, requirement].append(spec)
        specs[spec] = None
    parts = [_HEAD]
    for name, forms in found.items():
        parts.append(f"## {name} {{ #{name.replace('/', '-')} }}\n")
        for (level, requirement), having in forms.items():
            sentence = escaped(requirement[0].upper() + requirement[1:])
            parts.append(f"**{level}** — {sentence}.\n")
            parts.append(f"Specifications: {extent(having, list(specs))}.\n")
    return "\n".join([*parts, *_implementations()])


def _implementations() -> Iterator[str]:
    """Checks that there are where a constructor has the flag, and so are in no catalogue."""
    for flag in sorted(FLAGS):
        yield f"## implementations/{flag} {{ #implementations-{flag} }}\n"
        yield f"**must** — With {flag} flipped the subject does the same.\n"
        yield f"Specifications: all, where the constructor has {flag}.\n"


def _libraries() -> str:
    data = json.loads((Path(__file__).parent / "data" / "libraries.json").read_text())
    packages: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for finding in data["findings"]:
        packages[f"{finding['package']} {finding['version']}"].append(finding)
    parts = [_LIBRARIES.format(command=data["command"])]
    for package, findings in packages.items():
        parts.append(f"## {package}\n\n| class | computes | remarks |\n|---|---|---|")
        parts[-1] += "".join(f"\n{_row(f)}" for f in findings) + "\n"
    return "\n".join(parts)


def _row(finding: dict[str, Any]) -> str:
    bound = ", ".join(f"{k}={v!r}" for k, v in finding["keywords"].items())
    name = finding["name"] + (f"({bound})" if bound else "")
    return f"| `{name}` | {_computes(finding)} | {escaped('; '.join(_remarks(finding)))} |"


def _computes(finding: dict[str, Any]) -> str:
    if finding["reason"]:
        return "not run"
    return ", ".join(f"`{m}`" for m in finding["matches"]) or "nothing known"


def _remarks(finding: dict[str, Any]) -> list[str]:
    reason = finding["reason"]
    return [*finding["notes"], *([f"does not run: {reason}"] if reason else [])]
