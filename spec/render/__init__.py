"""A specification for readers: equations and whole algorithms as LaTeX and as text."""

from __future__ import annotations

from instep.spec.render.latex import latex_algorithm, latex_equation, latex_expression
from instep.spec.render.listing import options_with, switches
from instep.spec.render.symbols import latex_names, text_names
from instep.spec.render.text import expression_text, text_algorithm, text_equation

__all__ = [
    "expression_text",
    "latex_algorithm",
    "latex_equation",
    "latex_expression",
    "latex_names",
    "options_with",
    "switches",
    "text_algorithm",
    "text_equation",
    "text_names",
]
