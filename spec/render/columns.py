"""Rows of text as lines of a width, with the names that go with them in one column."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

# How far a row is indented, its text, and the name to the right of it.
Row = tuple[int, str, str]

_INDENT = 4
_DEEPEST = 6  # levels that are indented so far; of deeper listings every level is less
# A power, `**`, stays in one piece.
_PIECES = re.compile(r"(?:\*\*|[^*/(])*(?:[*/(]|$)")


def columns(rows: Sequence[Row], width: int) -> Iterator[str]:
    """Rows as lines of a width: text to the left, wrapped where it must be, names in a column.

    Names that take more than half a line stand below their equations.
    """
    notes = max((len(note) for _, _, note in rows), default=0)
    step = _indentation(max((depth for depth, _, _ in rows), default=0), width)
    texts = [step * depth + _width(text) for depth, text, note in rows if note]
    if notes > width - width // 2:
        for depth, text, note in rows:
            yield from _wrapped(" " * step * depth + text, width, " " * step * (depth + 2))
            if note:
                yield " " * (width - notes) + note
        return
    column = min(max(texts, default=0) + 2, width - notes)
    for depth, text, note in rows:
        hanging = " " * step * (depth + 2)
        lines = _wrapped(" " * step * depth + text, column - 2 if note else width, hanging)
        yield from _noted(lines, note, column)


def _noted(lines: Iterable[str], note: str, column: int) -> Iterator[str]:
    """A name in its column, on the first line that leaves room for it, else below all of them."""
    for line in lines:
        room = column - _width(line)
        yield f"{line}{' ' * room}{note}" if note and room > 0 else line
        note = note if room <= 0 else ""
    if note:
        yield " " * column + note


def _indentation(deepest: int, width: int) -> int:
    """Columns a level is indented by: fewer where the deepest one would leave no room for text."""
    return _INDENT if deepest <= _DEEPEST else max(1, min(_INDENT, width // 4 // deepest))


def _wrapped(text: str, width: int, hanging: str) -> list[str]:
    """A line broken at its blanks; what follows is indented further than what comes first.

    What has no blank for longer than a line is broken behind a parenthesis or an operator.
    """
    out: list[str] = []
    line = ""
    indent = text[: len(text) - len(text.lstrip())]
    for blank, word in _words(text, width - _width(hanging)):
        longer = f"{line}{blank}{word}" if line.strip() else (hanging if out else indent) + word
        if line.strip() and _width(longer) > width:
            out.append(line)
            longer = hanging + word
        line = longer
    return [*out, line]


def _words(text: str, room: int) -> Iterator[tuple[str, str]]:
    """Words, each with the blank before it; pieces of those that are longer than there is room."""
    for word in text.split():
        pieces = [word] if _width(word) <= room else [p for p in _PIECES.findall(word) if p]
        yield from zip([" ", *[""] * (len(pieces) - 1)], pieces, strict=True)


def _width(text: str) -> int:
    """Columns that text takes; an accent stands above the letter before it."""
    return sum(not unicodedata.combining(c) for c in text)
