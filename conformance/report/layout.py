"""Lines of labelled text that fit a width exactly; rich only colours them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

INDENT = 2
LABEL = 13
GAP = 3

Chunk = Text | str


class Page:
    """Collects lines no longer than `width`; a row is a label and chunks that hang to its right.

    A chunk is broken only where it does not fit a line of its own.
    """

    def __init__(self, width: int, label: int = LABEL) -> None:
        self.width, self.label = max(width, 40), label
        self.lines: list[Text] = []
        self._console = Console(width=self.width, color_system=None)

    @property
    def text_width(self) -> int:
        """What a row has to the right of its label."""
        return self.width - INDENT - self.label

    def blank(self) -> None:
        """An empty line, never two of them and never the first."""
        if self.lines and self.lines[-1].plain:
            self.lines.append(Text())

    def line(self, *chunks: Chunk, hang: int | None = None) -> None:
        """Chunks from the left margin; what does not fit hangs."""
        hang = INDENT + self.label if hang is None else hang
        first, *rest = self._flow([as_text(c) for c in chunks], self.width, hang)
        self.lines.append(first)
        self.lines.extend(rest)

    def row(self, label: str, *chunks: Chunk) -> None:
        """`  label        chunk   chunk`, hanging below the first chunk."""
        left = Text(" " * INDENT) + Text(label.ljust(self.label), style="dim")
        lines = self._flow([as_text(c) for c in chunks], self.text_width, 0)
        for number, line in enumerate(lines):
            self.lines.append((left if number == 0 else Text(" " * (INDENT + self.label))) + line)

    def rows(self, label: str, lines: Iterable[Chunk]) -> None:
        """One row to each line, the label beside the first."""
        for number, line in enumerate(lines):
            self.row("" if number else label, line)

    def text(self) -> str:
        """The page without colours."""
        return "\n".join(line.plain.rstrip() for line in self.lines) + "\n"

    def _flow(self, chunks: Sequence[Text], width: int, hang: int) -> list[Text]:
        out = [Text()]
        for chunk in chunks:
            used = out[-1].cell_len
            if used and used + GAP + chunk.cell_len <= width:
                out[-1] = out[-1] + Text(" " * GAP) + chunk
                continue
            margin = hang if used else 0
            pieces = self._broken(chunk, width - margin, width - hang)
            lines = [Text(" " * (hang if n else margin)) + p for n, p in enumerate(pieces)]
            out[-1:] = [out[-1], *lines] if used else lines
        return out

    def _broken(self, chunk: Text, first: int, rest: int) -> list[Text]:
        """A chunk over several lines, at its spaces where it has some."""
        if chunk.cell_len <= first:
            return [chunk]
        lines = chunk.wrap(self._console, min(first, rest), overflow="fold")
        for line in lines:
            line.rstrip()
        return [line for line in lines if line.plain]


def as_text(chunk: Chunk) -> Text:
    """Plain text of a string; nothing in it is markup."""
    return chunk if isinstance(chunk, Text) else Text(chunk)


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Cells padded to a common width, so that signs and digits stand below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    gap = " " * GAP
    return [gap.join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]
