"""A page for every specification, made of the package itself while the site is built."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from escaping import escaped
from mkdocs.structure.files import File

from instep import spec
from instep.conformance.schedules.suite import catalogue
from instep.spec import Algorithm
from instep.spec.model import Dialect, Reference
from instep.spec.render import text_algorithm

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

_WIDTH = 76
_ABOUT = {
    "Algorithms": "Optimizers. `instep check mylib:Opt --spec NAME` judges one, `instep identify "
    "mylib:Opt` finds out which one it is.",
    "Gradient functions": "What changes gradients before a step. `instep check mylib:clip --spec "
    "NAME` judges a function `(parameters, ...)`; around an optimizer the name is "
    "`NAME(sgd)`, say.",
    "Wrappers": "What goes around any algorithm: `NAME(adamw)` is a specification like the others. "
    "Here each goes around `sgd`.",
    "Schedules": "Learning-rate schedules. `instep check-scheduler mylib:Scheduler --spec NAME` "
    "judges anybody's `LRScheduler`. Two are joined by `chained(linear-lr, step-lr)` and "
    "`sequential(linear-lr, cosine-annealing-lr)`.",
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Give every section its place in the navigation."""
    config.nav = [*(config.nav or [])]
    for section, pages in _pages().items():
        folder = _slug(section)
        listed = [{name: f"{folder}/{_slug(name)}.md"} for name in sorted(pages)]
        config.nav.append({section: [{"Overview": f"{folder}/index.md"}, *listed]})
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages."""
    for section, pages in _pages().items():
        folder = _slug(section)
        files.append(
            File.generated(config, f"{folder}/index.md", content=_overview(section, pages))
        )
        for name, text in pages.items():
            path = f"{folder}/{_slug(name)}.md"
            files.append(File.generated(config, path, content=text))
    return files


@cache
def _pages() -> dict[str, dict[str, str]]:
    """Text of every page by section and specification."""
    found: dict[str, dict[str, list[Algorithm]]] = {
        section: defaultdict(list) for section in _ABOUT
    }
    for name in spec.names():
        algorithm = spec.get(name)
        section = "Gradient functions" if algorithm.result == "gradient" else "Algorithms"
        family = algorithm.spec if algorithm.spec in spec.names() else name
        found[section][family].append(algorithm)
    for name in spec.wrappers():
        if name not in found["Gradient functions"]:
            found["Wrappers"][name].append(spec.get(f"{name}(sgd)"))
    for name in spec.schedule_names():
        found["Schedules"][name].append(spec.get(name))
    return {
        section: {page: _page(page, members) for page, members in pages.items()}
        for section, pages in found.items()
    }


def _overview(section: str, pages: dict[str, str]) -> str:
    titles = {name: text.splitlines()[2] for name, text in pages.items()}
    rows = [f"| [{name}]({_slug(name)}.md) | {titles[name]} |" for name in sorted(pages)]
    head = [f"# {section}\n", _ABOUT[section], "\n| name | what it is |\n|---|---|"]
    return "\n".join([*head, *rows, "", *(_checks() if section == "Schedules" else ())])


def _checks() -> Iterator[str]:
    """The checks of schedulers, under the anchors that reports link to."""
    found: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    for id_, level, requirement in catalogue():
        name = id_.partition("/")[2]
        found[name.partition("/")[0]].setdefault(requirement, (name, level))
    yield "## Checks\n"
    for topic, checks in found.items():
        yield f"### {topic} {{ #{topic} }}\n"
        for requirement, (name, level) in checks.items():
            yield f"- `{name}`, **{level}**: {escaped(requirement)}."
        yield ""


def _page(name: str, members: list[Algorithm]) -> str:
    title = "; ".join(dict.fromkeys(m.title for m in members))
    parts = [f"# {name}\n\n{escaped(title)}\n"]
    for algorithm in members:
        parts.append(f"## {algorithm.name}\n" if len(members) > 1 else "## Equations\n")
        parts.append(f"As `{algorithm.full_name}`.\n")
        parts.append(f"```text\n{text_algorithm(algorithm, width=_WIDTH)}\n```\n")
    # Of a wrapper, those around the same dialect: the others differ in what is wrapped.
    dialects = {d.name: d for m in members for d in spec.meanings(m) if _inside(d) == _inside(m)}
    if dialects:
        parts.append(_dialects(list(dialects.values())))
    references = list(dict.fromkeys(r for m in members for r in m.references))
    if references:
        parts.append("## References\n")
        parts += [f"- {_cited(r)}" for r in references]
    return "\n".join(parts) + "\n"


def _inside(named: Algorithm | Dialect) -> str:
    name = named.full_name if isinstance(named, Algorithm) else named.name
    return name.partition("(")[2]


def _dialects(dialects: list[Dialect]) -> str:
    head = "## Dialects\n\n| name | source | what differs |\n|---|---|---|"
    rows = [f"| `{d.name}` | {escaped(d.source)} | {escaped(d.note)} |" for d in dialects]
    return "\n".join([head, *rows, ""])


def _cited(reference: Reference) -> str:
    kind, _, number = reference.identifier.partition(":")
    known = {"arXiv": "https://arxiv.org/abs/", "doi": "https://doi.org/", "https": "https:"}
    if kind not in known:
        return f"{escaped(reference.text)}, {escaped(reference.identifier)}"
    link = f"[{escaped(reference.identifier)}]({known[kind]}{number})"
    return f"{escaped(reference.text)}, {link}"


def _slug(name: str) -> str:
    return name.lower().replace(" ", "-").replace("_", "-")
