"""How symbols look: in LaTeX, in Unicode, in ASCII; with the step as an index where it is shown."""

from __future__ import annotations

import re

from instep.spec import ir
from instep.spec.model import Algorithm

_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ",
    "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "chi": "χ",
    "psi": "ψ", "omega": "ω", "varepsilon": "ε", "varphi": "φ",
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ",
    "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
_COMMANDS = {**_GREEK, "max": "max", "min": "min"}
# The letters that papers use for some names; `lam` because `lambda` is no name in Python.
_SHORT = {"eps": "epsilon", "lam": "lambda", "lr": "gamma", "weight_decay": "lambda"}
_ACCENTS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "dot": "\u0307"}

_SUBSCRIPTS = dict(
    zip("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True)
)
_SUPERSCRIPTS = dict(
    zip(
        "0123456789+-=()abcdefghijklmnoprstuvwxyz",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ",
        strict=True,
    )
)
# The objective, which no declaration names.
OBJECTIVE = "f"


def subscript(text: str) -> str | None:
    """Text in Unicode subscripts, None where a character has none."""
    return _mapped(text, _SUBSCRIPTS)


def superscript(text: str) -> str | None:
    """Text in Unicode superscripts, None where a character has none."""
    return _mapped(text, _SUPERSCRIPTS)


def _mapped(text: str, table: dict[str, str]) -> str | None:
    return "".join(table[c] for c in text) if all(c in table for c in text) else None


def is_raised(text: str) -> bool:
    """Whether text ends in a superscript, so that a power of it needs parentheses."""
    return text[-1] in _SUPERSCRIPTS.values()


def is_lowered(text: str) -> bool:
    """Whether text ends in a subscript, so that it takes no second one."""
    return text[-1] in _SUBSCRIPTS.values()


def latex_names(algorithm: Algorithm) -> dict[str, str]:
    """LaTeX of every symbol: the declared one, else one made of the name.

    No two symbols look alike: one whose LaTeX is taken is written out as its name.
    """
    declared = {h.name: h.latex for h in algorithm.hyperparameters if h.latex}
    declared |= {s.name: s.latex for s in algorithm.states if s.latex} | dict(algorithm.latex)
    out: dict[str, str] = {}
    taken = {OBJECTIVE}
    names = _symbols(algorithm)
    for name in sorted(names, key=lambda name: (name not in declared, names.index(name))):
        latex = declared.get(name) or default_latex(name)
        out[name] = written_out(name) if latex in taken else latex
        taken.add(out[name])
    return out


def text_names(algorithm: Algorithm, *, ascii: bool = False) -> dict[str, str]:
    """Unicode of every symbol: its LaTeX where that can be written so, else its name."""
    latex = latex_names(algorithm)
    if ascii:
        return {name: name for name in latex}
    out: dict[str, str] = {}
    for name, text in latex.items():
        pretty = to_unicode(text) or name
        out[name] = name if pretty in out.values() else pretty
    return out


def _symbols(algorithm: Algorithm) -> list[str]:
    names = [ir.THETA, *(h.name for h in algorithm.hyperparameters)]
    names += [*algorithm.inputs, *(s.name for s in algorithm.states)]
    if algorithm.counter is not None:
        names.append(algorithm.counter.name)
    names += [let.target.name for let in ir.lets(algorithm.body)]
    if algorithm.schedule is not None:
        names += [let.target.name for let in ir.lets(algorithm.schedule.closed)]
    names += [s.variable for s in ir.statements(algorithm.body) if isinstance(s, ir.Repeat)]
    return list(dict.fromkeys(names))


def step_name(algorithm: Algorithm) -> str:
    """The letter that counts steps: the counter's, else one that no symbol bears."""
    if algorithm.counter is not None:
        return algorithm.counter.name
    taken = set(_symbols(algorithm))
    return next(letter for letter in "tnkjirsuvwxyz" if letter not in taken)


def default_latex(name: str) -> str:
    r"""LaTeX made of a name: `beta1` is `\beta_1`, `m_hat` is `\hat{m}`, `d` is `d`."""
    base, _, rest = name.rpartition("_")
    if rest in _ACCENTS and base:
        return rf"\{rest}{{{default_latex(base)}}}"
    letter = _letter(name)
    if letter:
        return letter
    numbered = re.fullmatch(r"(.*?[a-zA-Z])_?(\d+)", name)
    if numbered and _letter(numbered[1]):
        return f"{_letter(numbered[1])}_{_group(numbered[2])}"
    first, _, tail = name.partition("_")
    if _letter(first) and tail:
        return f"{_letter(first)}_{_group(tail if len(tail) == 1 else written_out(tail))}"
    return written_out(name)


def _letter(name: str) -> str:
    name = _SHORT.get(name, name)
    return rf"\{name}" if name in _GREEK else (name if len(name) == 1 else "")


def written_out(name: str) -> str:
    """A name as upright text, which cannot be taken for a product of letters."""
    return rf"\mathrm{{{escaped(name)}}}"


def escaped(text: str) -> str:
    """Text in which LaTeX takes no character for a command."""
    return re.sub(r"([_&%$#{}])", r"\\\1", text)


def _group(text: str) -> str:
    return text if len(text) == 1 else f"{{{text}}}"


def with_index(latex: str, index: str) -> str:
    r"""LaTeX with one more subscript: `m` is `m_t`, `x_i` is `x_{i,t}`, `v^2` is `v^2_t`."""
    lowered = re.fullmatch(r"([^_]*)_(?:\{(.*)\}|([^\\{}]))", latex)
    if lowered and _is_one_group(lowered[2] or ""):
        return f"{lowered[1]}_{{{lowered[2] or lowered[3]},{index}}}"
    base = f"{{{latex}}}" if "_" in latex.replace(r"\_", "") else latex
    return f"{base}_{_group(index)}"


def _is_one_group(inside: str) -> bool:
    """Whether braces around this text belong together."""
    depth = 0
    for character in inside:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth < 0:
            return False
    return True


_TOKEN = re.compile(r"\\([a-zA-Z]+) *|([_^])|([{}])|\\([_&%$#])|([a-zA-Z0-9])|( +)|(.)")


def to_unicode(latex: str) -> str | None:
    """The same symbol in Unicode, None where it cannot be written so."""
    tokens = [m for m in _TOKEN.finditer(latex) if m[6] is None]
    try:
        text, position = _sequence(tokens, 0)
    except (LookupError, ValueError):
        return None
    return text if position == len(tokens) else None


def _sequence(tokens: list[re.Match[str]], i: int) -> tuple[str, int]:
    out = ""
    while i < len(tokens) and tokens[i][3] != "}":
        if tokens[i][2]:
            content, j = _argument(tokens, i + 1)
            moved = subscript(content) if tokens[i][2] == "_" else superscript(content)
            if moved is None or not out:
                raise ValueError(content)
            out, i = out + moved, j
        else:
            text, i = _argument(tokens, i)
            out += text
    return out, i


def _argument(tokens: list[re.Match[str]], i: int) -> tuple[str, int]:
    """One letter, command or group, and the position after it; ValueError without Unicode."""
    command, _, brace, literal, letter, _, _ = tokens[i].groups()
    if brace == "{":
        text, j = _sequence(tokens, i + 1)
        tokens[j]  # a group that is not closed
        return text, j + 1
    if command in ("mathrm", "text", "mathit"):
        return _argument(tokens, i + 1)
    if command in _ACCENTS:
        text, j = _argument(tokens, i + 1)
        if len(text) != 1:
            raise ValueError(text)
        return text + _ACCENTS[command], j
    if command:
        return _COMMANDS[command], i + 1
    if literal or letter:
        return literal or letter, i + 1
    raise ValueError(tokens[i][0])
