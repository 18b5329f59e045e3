"""What the right-hand sides of equations are made of: functions and conditions."""

from __future__ import annotations

from typing import Any

import sympy

from instep.spec import ir
from instep.spec.arguments import TypeEps
from instep.spec.freeze import function
from instep.spec.recording import Condition, as_condition, current, frozen, name_of

theta = sympy.Symbol(ir.THETA, real=True)
cbrt = sympy.cbrt
sqrt, sign, exp, log, floor = sympy.sqrt, sympy.sign, sympy.exp, sympy.log, sympy.floor
cos, pi = sympy.cos, sympy.pi
type_eps = TypeEps()
prev, grad, loss = function("prev"), function("grad"), function("loss")
maximum, minimum = function("max"), function("min")
rows, cols, numel, ndim = (function(name) for name in ("rows", "cols", "numel", "ndim"))
unit_size = function("unit_size")
matmul, transpose = function("matmul"), function("transpose")
at, length = function("at"), function("length")
total, mean, largest = function("sum_all"), function("mean_all"), function("max_all")
row_mean, col_mean = function("mean_rows"), function("mean_cols")
unit_total, unit_mean = function("sum_units"), function("mean_units")
total_over_params, max_over_params = function("sum_params"), function("max_params")


def norm(x: Any) -> Any:
    """Euclidean norm over all lanes of one parameter."""
    return sqrt(total(x**2))


def unit_norm(x: Any) -> Any:
    """Euclidean norm of every unit: over all axes but the first, of a vector over all of it."""
    return sqrt(unit_total(x**2))


def rms(x: Any) -> Any:
    """Root mean square over all lanes of one parameter."""
    return sqrt(mean(x**2))


def holds(comparison: Any) -> Condition:
    """A comparison as a condition that `&`, `|` and `~` combine: `holds(t > 1) & (t < 9)`."""
    return Condition(as_condition(comparison, "holds"))


def equal(a: Any, b: Any) -> Condition:
    """Condition a == b."""
    return Condition(ir.Compare("==", frozen("equal", a), frozen("equal", b)))


def absent(symbol: Any) -> Condition:
    """Condition: this state has not been stored yet."""
    return Condition(ir.Absent(name_of(symbol, "absent")))


def where(condition: Any, a: Any, b: Any) -> Any:
    """`a` on the lanes where the condition holds, else `b`."""
    conditions = current().conditions
    conditions.append(as_condition(condition, "where"))
    return function("where")(sympy.Integer(len(conditions) - 1), a, b)
