"""Words of specifications and libraries in Markdown, where some of their characters mean something.

This folder is on the path while mkdocs loads its hooks.
"""

from __future__ import annotations

_MARKS = str.maketrans({"<": "&lt;", **{mark: f"\\{mark}" for mark in "\\`*_[{|"}})


def escaped(text: str) -> str:
    """A text as it is to be read, on one line of Markdown or in a cell of a table."""
    return text.translate(_MARKS)
