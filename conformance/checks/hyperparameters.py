"""Hyperparameters changed between steps: they are read from the group at each step."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from instep.conformance.boundaries import limits
from instep.conformance.checks.base import Check, Outcome, Plan, Skip
from instep.conformance.checks.numerics import slug, switches
from instep.conformance.probes import with_more_bits
from instep.spec import ir
from instep.spec.arguments import OptionValue
from instep.spec.model import Algorithm
from instep.spec.options import hyperparameters_read, open_choices, resolve

if TYPE_CHECKING:
    from instep.conformance.context import Context


def checks(plan: Plan) -> Iterator[Check]:
    """One check per hyperparameter; what belongs to the whole optimizer changes in all groups."""
    scales = scale_state(plan.algorithm)
    for h in plan.hyperparameters:
        yield Check(
            f"hyperparameters/{slug(h.name)}-changed",
            "should" if h.name in scales else "must",
            f"a change of {h.name} by hand or by a scheduler acts from the next step on",
            partial(_changed, h.name),
        )


def scale_state(algorithm: Algorithm) -> frozenset[str]:
    """Those h for which a state is an average with weight 1 - h, or that are raised to a power.

    Correct implementations keep such state in many forms (unnormalised or corrected moments,
    running powers), which agree only while h stays as it is.
    """
    states = {s.name for s in algorithm.states}
    names: set[str] = set()
    for let in ir.lets(resolve(algorithm.body, algorithm.option_defaults())):
        for node in ir.walk(let.value):
            match node:
                case ir.Binary("-", ir.Const(1), ir.Sym(name)) if let.target.name in states:
                    names.add(name)
                case ir.Binary("**", base, _):
                    names |= {n.name for n in ir.walk(base) if isinstance(n, ir.Sym)}
    return frozenset(names)


def gated(algorithm: Algorithm) -> frozenset[str]:
    """Hyperparameters without which equations pause: those that are asked whether they exceed 0.

    Other dialects may ask where this one does not: that it does not has to show.
    """
    asked = {
        branch.condition.left
        for branch in ir.statements(algorithm.body)
        if isinstance(branch, ir.If)
        and isinstance(branch.condition, ir.Compare)
        and (branch.condition.op, branch.condition.right) == (">", ir.Const(0))
    }
    asked |= {let.value for let in ir.lets(algorithm.body) if let.target in asked}
    return frozenset(h.name for h in algorithm.hyperparameters if ir.Sym(h.name) in asked)


def _changed(symbol: str, context: Context) -> Outcome:
    if symbol not in context.subject.naming.hyperparameters:
        raise Skip(f"the constructor does not take {symbol}")
    if symbol in context.probes.fixed:
        raise Skip(f"{symbol} is fixed")
    options = _read_under(symbol, context)
    other = context.probes.other_values([symbol], whole=True)
    before = context.probes.probe_values()
    if symbol not in other:
        raise Skip(f"no other value of {symbol} is admissible")
    values, between = before, {symbol: 0.0}
    # What it was again, but for bits that half precision cannot hold.
    again = {symbol: with_more_bits(context.algorithm.hyperparameter(symbol), before[symbol])}
    again = again if context.probes.admits(again) else {symbol: before[symbol]}
    changes = {3: other, 5: between, 7: again}
    if symbol == "lr":
        # It rises first, above where it began: what keeps the largest so far shows then, and so
        # does whether a power of that was squeezed through a narrow type.
        values = {**context.probes.fine_values(near=True), symbol: before[symbol]}
        between = {symbol: 4 * before[symbol]}
        changes |= {3: between, 5: other}
    if not context.probes.admits(between):
        changes = {3: other, 7: again}
    if symbol in gated(context.algorithm) and context.probes.admits({symbol: 0.0}):
        changes[6] = {symbol: 0.0}
    far = {symbol: before[symbol] * 2**24}
    if symbol in limits(context.algorithm, context.probes.options) and context.probes.admits(far):
        # So far away that whatever is compared with it lies on this side.
        changes[2] = far
    # Once more: what estimates from sums of gradients begins to move after some steps only.
    changes[11] = other
    # A few lanes of a crowd are where old and new gradients balance behind a sign.
    lanes = 4096 if switches(context) else 67
    more: Any = {"shapes": ((lanes,),), "steps": 12, "changes": changes, "options": options}
    probe = context.probes.make(f"changed-{symbol}", values=values, dtype=context.widest, **more)
    what = f"a change of {symbol} does not act as the equations say"
    return context.require_each_step(context.record(probe), what)


def _read_under(symbol: str, context: Context) -> dict[str, OptionValue]:
    """An option that makes the equations read a hyperparameter, where they do not as they are.

    Raises:
        Skip: none that the subject has and that requirements allow.
    """
    own, algorithm = context.probes.options, context.algorithm
    if symbol in hyperparameters_read(algorithm, own):
        return {}
    known = set(context.subject.naming.options) - context.probes.fixed
    for name, value in open_choices(algorithm):
        read = hyperparameters_read(algorithm, {**own, name: value})
        if name in known and symbol in read and context.probes.possible({name: value}):
            return {name: value}
    raise Skip(f"no option of the constructor makes the equations read {symbol}")
