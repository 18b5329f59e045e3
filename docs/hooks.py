"""Pages that are made of the package itself while the site is built."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from mkdocs.structure.files import File

from instep.conformance.suite import catalogue

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

_HEAD = """# Checks

Every check has an id, `<spec>/<topic>/<name>`, a level and one sentence that it requires. A failed
`must` means that parameters, state, loss or a resumed run differ from the spec, or that a
documented contract of `torch.optim.Optimizer` breaks.
"""


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the catalogue of checks; reports link to its anchors."""
    files.append(File.generated(config, "checks.md", content=_checks()))
    return files


def _checks() -> str:
    specs: dict[str, list[str]] = defaultdict(list)
    about: dict[str, tuple[str, str]] = {}
    for id_, level, requirement in catalogue():
        spec, name = id_.split("/", 1)
        specs[name].append(spec)
        about[name] = level, requirement
    parts = [_HEAD]
    for name, (level, requirement) in about.items():
        anchor = name.replace("/", "-")
        sentence = requirement[0].upper() + requirement[1:]
        parts.append(
            f"## {name} {{ #{anchor} }}\n\n**{level}** — {sentence}.\n\n"
            f"Specifications: {', '.join(specs[name])}.\n"
        )
    return "\n".join(parts)
