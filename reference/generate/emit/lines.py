"""Lines of Python in the making: indentation, and the name of an equation beside it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import Any

LINE_LENGTH = 100
_INDENT = 4
# Where the function body stands in the file: inside a method of a class.
_BASE = 8
_WHOLE_WORDS: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}


@dataclass
class Lines:
    """Text of a function body, without the indentation of the function itself."""

    texts: list[str] = field(default_factory=list)
    depth: int = 0

    def add(self, text: str) -> None:
        """One line at the current depth."""
        self.texts.append(" " * _INDENT * self.depth + text)

    def equation(self, text: str, name: str) -> None:
        """One equation with its name beside it, or above it where the line would be too long."""
        if _BASE + _INDENT * self.depth + len(text) + len(name) + 4 <= LINE_LENGTH:
            self.add(f"{text}  # {name}")
        else:
            self.add(f"# {name}")
            self.add(text)

    def comment(self, text: str) -> None:
        """A comment, on as many lines as it takes."""
        width = LINE_LENGTH - _BASE - _INDENT * self.depth
        for line in textwrap.wrap(text, width, subsequent_indent="#     ", **_WHOLE_WORDS):
            self.add(line)

    def blank(self) -> None:
        """An empty line, unless nothing or an empty line stands above."""
        if self.texts and self.texts[-1]:
            self.texts.append("")

    def open(self, text: str) -> None:
        """A line that begins a block."""
        self.add(text)
        self.depth += 1

    def close(self) -> None:
        """The end of a block; an empty one becomes `pass`."""
        if self.texts[-1].endswith(":"):
            self.add("pass")
        self.depth -= 1
