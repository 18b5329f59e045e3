"""Numbers as a report writes them: short and exact hyperparameters, evidence in decimal and hex."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

SHORT = 4
"""Characters up to which a decimal is left as it is: 0.5, 0.25, 1e-8."""


def short(value: object) -> str:
    """A hyperparameter in its shortest exact form: `2^-4`, `7/8`, `0.9`, `(7/8, 63/64)`."""
    match value:
        case bool() | None:
            return str(value)
        case float():
            return _short_float(value)
        case tuple():
            inside = ", ".join(map(short, value))
            return f"({inside},)" if len(value) == 1 else f"({inside})"
        case list():
            return f"[{', '.join(map(short, value))}]"
        case Mapping():
            return f"{{{', '.join(f'{k}: {short(v)}' for k, v in value.items())}}}"
    return repr(value)


def _short_float(value: float) -> str:
    text = repr(float(value))
    if len(text.lstrip("-")) <= SHORT or not math.isfinite(value):
        return text
    numerator, denominator = float(value).as_integer_ratio()
    sign, numerator = ("-" if numerator < 0 else ""), abs(numerator)
    if numerator & (numerator - 1) == 0:
        return f"{sign}2^{(numerator.bit_length() - 1) - (denominator.bit_length() - 1)}"
    fraction = f"{sign}{numerator}/{denominator}"
    return fraction if denominator > 1 and len(fraction) < len(text) else text


def call(name: str, arguments: Mapping[str, Any]) -> str:
    """`mylib.AdamW(lr=2^-4, betas=(7/8, 63/64))`."""
    return f"{name}({', '.join(f'{k}={short(v)}' for k, v in arguments.items())})"


def hexadecimal(value: float) -> str:
    """`float.hex` without trailing zeros: `0x1.2a6p-5`, `0x0p+0`, `nan`."""
    text = float(value).hex()
    if "p" not in text:
        return text
    mantissa, exponent = text.split("p")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}p{exponent}"


def digits_to_tell(a: float, b: float) -> int:
    """Significant digits that show where two numbers differ, and two more; between 6 and 17."""
    size, difference = max(abs(a), abs(b)), abs(a - b)
    if not math.isfinite(difference) or difference == 0:
        return 9
    return min(17, max(6, 3 + math.ceil(math.log10(size) - math.log10(difference))))


def decimal(value: float, digits: int) -> str:
    """A number at so many significant digits, trailing zeros kept so that columns compare."""
    return f"{value:#.{digits}g}".rstrip(".") if math.isfinite(value) else str(value)


def ratio(value: float) -> str:
    """How many bounds: `0.93`, `42`, `7.0e5`; `infinitely many` where the bound is zero."""
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "infinitely many"
    if value < 10:
        return f"{value:.2g}"
    if value < 1e4:
        return f"{value:.0f}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def relative(value: float) -> str:
    """A relative error: `2.1e-6`."""
    return f"{value:.2g}" if value >= 1e-3 else f"{value:.1e}".replace("e-0", "e-")


def many(count: int, thing: str) -> str:
    """`1 check`, `3 checks`, `1 200 000 lanes`: grouped by threes."""
    number = f"{count:,}".replace(",", " ")
    return f"{number} {thing}" if count == 1 else f"{number} {thing}s"


def extent(having: Sequence[str], among: Sequence[str]) -> str:
    """Which of many names have something, in the fewest words: `all`, `all but a`, `b, c only`."""
    without = [name for name in among if name not in having]
    if not without:
        return "all"
    shorter = f"all but {', '.join(without)}"
    return shorter if len(without) < len(having) else f"{', '.join(having)} only"
