"""The rewrites that vectorized code may use: this list, and nothing else.

Capitals stand for tensors, small letters for host numbers. Each rule is an identity over the reals;
a test proves every one with sympy from the text below. Rounding differs between the two sides,
never by more than between torch's own for-loop and these operations, which it uses itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from instep.reference.generate.lower.notation import parse
from instep.spec import ir

# What torch's fused operations compute; also how a proof reads them.
FUSED = {
    "lerp": "A + s * (B - A)",
    "addcmul": "A + s * B * C",
    "addcdiv": "A + s * B / C",
    "add_scaled": "A + s * B",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A named rewrite; an earlier rule is tried everywhere before a later one."""

    name: str
    pattern: ir.Expr
    replacement: ir.Expr


def _rule(name: str, pattern: str, replacement: str) -> Rule:
    return Rule(name, parse(pattern), parse(replacement))


RULES = (
    # theta - lr * weight_decay * theta: one product with a number known on the host
    _rule("shrink", "A - s * A", "A * (1 - s)"),
    # lr * (m / c): the numbers meet first
    _rule("fold a quotient", "s * (A / r)", "(s / r) * A"),
    _rule("fold a product", "s * (r * A)", "(s * r) * A"),
    # sqrt(v / c): the root of v alone neither overflows nor loses small v to a division
    _rule("fold into a root", "sqrt(A / s)", "sqrt(A) / sqrt(s)"),
    _rule("square added", "A + s * B**2", "addcmul(A, B, B, s)"),
    _rule("product added", "A + s * (B * C)", "addcmul(A, B, C, s)"),
    _rule("scaled product added", "A + s * B * C", "addcmul(A, B, C, s)"),
    _rule("scaled quotient added", "A + s * B / C", "addcdiv(A, B, C, s)"),
    _rule("scaled quotient subtracted", "A - s * B / C", "addcdiv(A, B, C, -s)"),
    _rule("quotient added", "A + s * (B / C)", "addcdiv(A, B, C, s)"),
    _rule("quotient subtracted", "A - s * (B / C)", "addcdiv(A, B, C, -s)"),
    # beta * m + (1 - beta) * g: exact where m and g are equal, as torch's own
    _rule("moving average", "s * A + (1 - s) * B", "lerp(A, B, 1 - s)"),
    _rule("scaled added", "A + s * B", "add_scaled(A, B, s)"),
    _rule("scaled subtracted", "A - s * B", "add_scaled(A, B, -s)"),
    _rule("square", "A**2", "A * A"),
)
