"""The generated files as a whole: which there are, what they hold, how those on disk differ."""

from __future__ import annotations

import difflib
import importlib.util
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from instep import reference
from instep.reference.generate.emit.lines import LINE_LENGTH
from instep.reference.generate.errors import GenerateError
from instep.reference.generate.source import (
    KERNELS,
    SCHEDULES,
    TARGETS,
    TRANSFORMS,
    generate_kernel,
    generate_package,
    generate_schedule,
    generate_schedule_package,
    generate_source,
    generate_transform,
    generate_transform_package,
    module_name,
)
from instep.spec import dialects, get, names, schedule_names
from instep.spec.model import Algorithm

ROOT = Path(next(iter(reference.__path__))).resolve()
Files = Mapping[str, str]


def exported() -> list[Algorithm]:
    """Every dialect of the catalogue that moves parameters and bears the name of a class."""
    found = [get(name) for name in dialects() if get(name).result == "parameters"]
    return [a for a in found if a.dialect is not None and a.dialect.export]


def exported_schedules() -> list[Algorithm]:
    """Every schedule that bears the name of a class."""
    found = [get(name) for name in schedule_names()]
    return [a for a in found if a.dialect is not None and a.dialect.export]


def exported_transforms() -> list[Algorithm]:
    """Every transform of the gradient that bears a name, in the meaning that is its default."""
    found = [get(name) for name in names() if get(name).result == "gradient"]
    return [a for a in found if a.dialect is not None and a.dialect.export]


def generated_files(algorithms: Sequence[Algorithm], *, packages: bool = True) -> Files:
    """Text of every file by its path below `reference/`, formatted."""
    texts = {
        f"{target}/{module_name(algorithm)}.py": generate_source(algorithm, target)
        for target in TARGETS
        for algorithm in algorithms
    }
    if packages:
        texts |= {f"{t}/__init__.py": generate_package(algorithms, t) for t in TARGETS}
        schedules = exported_schedules()
        texts |= {f"{SCHEDULES}/{module_name(a)}.py": generate_schedule(a) for a in schedules}
        texts[f"{SCHEDULES}/__init__.py"] = generate_schedule_package(schedules)
        transforms = exported_transforms()
        texts |= {f"{TRANSFORMS}/{module_name(a)}.py": generate_transform(a) for a in transforms}
        texts[f"{TRANSFORMS}/__init__.py"] = generate_transform_package(transforms)
    found = {f"{KERNELS}/{module_name(a)}.c": generate_kernel(a) for a in algorithms}
    kernels = {path: text for path, text in found.items() if text is not None}
    formatted = {path: format_source(text) for path, text in texts.items()}
    return dict(sorted({**formatted, **kernels}.items()))


def files_on_disk(root: Path = ROOT) -> Files:
    """Every file below the folders that the generator owns."""
    folders = (*TARGETS, KERNELS, SCHEDULES, TRANSFORMS)
    paths = [p for target in folders for p in (root / target).rglob("*") if p.is_file()]
    return {
        p.relative_to(root).as_posix(): p.read_text()
        for p in sorted(paths)
        if "__pycache__" not in p.parts
    }


def differences(wanted: Files, found: Files) -> str:
    """A unified diff of two trees, empty where they are equal; missing and extra files included."""
    out: list[str] = []
    for path in sorted({*wanted, *found}):
        old, new = (files.get(path, "").splitlines(keepends=True) for files in (found, wanted))
        before = f"reference/{path}" if path in found else "/dev/null"
        after = f"generated/{path}" if path in wanted else "/dev/null"
        out += difflib.unified_diff(old, new, before, after)
        if (path in found) != (path in wanted) and not (old or new):
            out.append(f"--- {before}\n+++ {after}\n")
    return "".join(out)


def write(wanted: Files, found: Files, root: Path = ROOT) -> list[str]:
    """Make the folders hold exactly `wanted`; returns the paths that changed."""
    changed = [path for path in wanted if found.get(path) != wanted[path]]
    for path in changed:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(wanted[path])
    extra = [path for path in found if path not in wanted]
    for path in extra:
        (root / path).unlink()
    return changed + extra


def format_source(text: str) -> str:
    """The text as `ruff format` lays it out; its version is pinned, since another one is drift."""
    if importlib.util.find_spec("ruff") is None:
        raise GenerateError("ruff formats what is generated and is not installed: pip install ruff")
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--quiet"]
    options = ["--line-length", str(LINE_LENGTH), "--target-version", "py311", "-"]
    done = subprocess.run(
        [*command, *options], input=text, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise GenerateError(f"ruff cannot format the generated text: {done.stderr.strip()}")
    return done.stdout
