"""A proof as data: what is claimed, under which conditions, and steps that can be printed."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy


@dataclass(frozen=True, slots=True)
class Display:
    """One formula, as text and as LaTeX."""

    text: str
    latex: str

    @classmethod
    def of(cls, expr: sympy.Basic, names: Mapping[str, str], left: str = "") -> Display:
        """`left = expr`, with the LaTeX names of symbols."""
        known = {s: _latex_symbol(s.name, names) for s in expr.free_symbols}
        text, latex = sympy.sstr(expr), sympy.latex(expr, symbol_names=known)
        if not left:
            return cls(text, latex)
        side, _, name = left.rpartition(": ")
        return cls(f"{left} = {text}", f"{_side(side)}{_latex_symbol(name, names)} = {latex}")


def _latex_symbol(name: str, names: Mapping[str, str]) -> str:
    """A symbol's declared LaTeX, else sympy's; primes stay outside of subscripts."""
    base = name.rstrip("'")
    latex = names.get(base) or str(sympy.latex(sympy.Symbol(base)))
    return latex + name[len(base) :]


def _side(name: str) -> str:
    return rf"\text{{{name}: }} " if name else ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a proof: a sentence, and the formulas that it is about."""

    text: str
    displays: tuple[Display, ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """A claim, its conditions, and the steps that lead to it."""

    claim: str
    conditions: tuple[str, ...]
    steps: tuple[Step, ...]

    def to_text(self, width: int = 80) -> str:
        """The proof as numbered paragraphs."""
        out = [textwrap.fill(self.claim, width)]
        out += [textwrap.fill(f"where {c}", width, initial_indent="  ") for c in self.conditions]
        for number, step in enumerate(self.steps, 1):
            out.append(textwrap.fill(f"{number}. {step.text}", width, subsequent_indent="   "))
            for display in step.displays:
                out.append(_indented(display.text, width))
        return "\n".join(out)

    def to_latex(self) -> str:
        """The proof as LaTeX paragraphs with displayed equations."""
        out = [_prose(self.claim)]
        if self.conditions:
            out.append(_prose("Conditions: " + "; ".join(self.conditions) + "."))
        for step in self.steps:
            out.append(_prose(step.text))
            if step.displays:
                rows = " \\\\\n".join(f"  & {d.latex}" for d in step.displays)
                out.append(f"\\begin{{align*}}\n{rows}\n\\end{{align*}}")
        return "\n\n".join(out)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "claim": self.claim,
            "conditions": list(self.conditions),
            "steps": [
                {
                    "text": s.text,
                    "displays": [{"text": d.text, "latex": d.latex} for d in s.displays],
                }
                for s in self.steps
            ],
        }


def _indented(formula: str, width: int) -> str:
    return textwrap.fill(
        formula,
        width,
        initial_indent=" " * 5,
        subsequent_indent=" " * 9,
        break_long_words=False,
    )


_SPECIAL = str.maketrans({c: f"\\{c}" for c in "_&%#$"} | {"^": r"\^{}", "~": r"\~{}"})


def _prose(text: str) -> str:
    """Text with LaTeX's special characters escaped."""
    return text.translate(_SPECIAL)
