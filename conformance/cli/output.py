"""Where the command writes to: the terminal, and files that are whole or absent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from instep.conformance.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from instep.conformance.report.layout import Page

STDOUT = "-"


def require_writable(path: str | None) -> None:
    """Refuse a file that cannot be written before the work starts, not after it."""
    if path is None or path == STDOUT:
        return
    folder = Path(path).parent
    if not folder.is_dir():
        raise UsageError(f"cannot write {path}: there is no folder {folder}")
    if Path(path).is_dir():
        raise UsageError(f"cannot write {path}: it is a folder")
    if not os.access(folder, os.W_OK):
        raise UsageError(f"cannot write {path}: folder {folder} is read-only")


def write(path: str, text: str) -> None:
    """Write a file whole or not at all; `-` is the standard output."""
    if path == STDOUT:
        click.echo(text, nl=False)
        return
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(target)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise UsageError(f"cannot write {path}: {error.strerror}") from error


def print_json(value: Any) -> None:
    """A value as indented JSON."""
    import json

    click.echo(json.dumps(value, indent=2))


def console() -> Console:
    """The terminal, 80 characters wide where it is none."""
    from rich.console import Console

    return Console()


def print_page(page: Page, to: Console) -> None:
    """Lines as they were laid out."""
    for line in page.lines:
        to.print(line, no_wrap=True, overflow="ignore", crop=False, highlight=False)


@contextmanager
def progress_bar() -> Iterator[Callable[[int, int, str], None] | None]:
    """A bar on stderr, and a function to move it; None where stderr is no terminal."""
    from rich.console import Console

    stderr = Console(stderr=True)
    if not stderr.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=stderr, transient=True) as bar:
        task = bar.add_task("", total=None)

        def move(done: int, total: int, name: str) -> None:
            bar.update(task, completed=done, total=total, description=name)

        yield move
