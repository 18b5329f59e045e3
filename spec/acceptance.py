"""Which gradients and parameters an algorithm takes: the part of the vocabulary that says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from instep.spec import ir, model
from instep.spec.recording import Condition, as_condition, current, fail, line, name_of


def accept(
    *,
    dense: bool = True,
    sparse: Any = False,
    rows: Any = False,
    complex: bool | None = None,
    reason: str = "",
) -> None:
    """Declare the gradients and parameters that the algorithm takes; see `model.Gradients`.

    `sparse=equal(wd, 0)` with `reason=` refuses the rest; `rows` promises that a sparse gradient
    moves nothing that it does not name, so that implementations need not look at the rest.
    """
    builder = current()
    if builder.spec.gradients.line:
        fail("accept", f"is declared twice, first in line {builder.spec.gradients.line}")
    if not dense and sparse is False:
        fail("accept", "neither dense nor sparse gradients are accepted")

    def condition(value: Any) -> ir.Expr | bool:
        return value if isinstance(value, bool) else as_condition(value, "accept")

    declared = model.Gradients(dense, condition(sparse), condition(rows), complex, reason, line())
    builder.spec = replace(builder.spec, gradients=declared)


def touched(symbol: Any) -> Condition:
    """Condition: this lane of theta is named by its gradient; all are by a dense one.

    A sparse gradient names what its coalesced indices do, explicit zeros among them.
    """
    if name_of(symbol, "touched") != ir.THETA:
        fail("touched", f"speaks of theta, not of {symbol}")
    return Condition(ir.Touched())
