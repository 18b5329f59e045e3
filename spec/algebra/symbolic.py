"""A program's step over canonical fractions: its leaves, its start, its initial states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import sympy

from instep.spec import ir
from instep.spec.algebra.execute import Execution, UndefinedError
from instep.spec.algebra.normal import NormalDomain
from instep.spec.algebra.program import Program
from instep.spec.algebra.ratios import Ratio
from instep.spec.arguments import REALS, Domain
from instep.spec.model import State

NONNEGATIVE = Domain.parse("[0,inf)")
Values = dict[str, Ratio]
C = TypeVar("C")


def counted_from(start: int) -> Domain:
    """The range of a counter."""
    return Domain.parse(f"Z[{start},inf)")


_FROM_ONE = counted_from(1)


@dataclass(frozen=True, slots=True)
class Leaves:
    """Free symbols of a comparison: ranges of hyperparameters, and nonnegative states."""

    domains: Mapping[str, Domain]
    nonnegative: frozenset[str] = frozenset()
    counted: Domain = _FROM_ONE

    def given(self, domain: NormalDomain, program: Program) -> Values:
        """What a step receives: free hyperparameters, inputs, the counter."""
        out = {name: self.hyperparameter(domain, name) for name in self.domains}
        for name in program.algorithm.inputs:
            out[name] = domain.leaf(("given", name), sympy.Symbol(name, real=True))
        if program.counter is not None:
            sign = {"positive": True} if self.counted.lower > 0 else {"nonnegative": True}
            label = sympy.Symbol(program.counter, integer=True, **sign)
            # Counters of the parameter and of the optimizer come apart when a gradient is missing.
            assert program.algorithm.counter is not None
            key = ("counter", program.algorithm.counter.scope)
            out[program.counter] = domain.leaf(key, label, domain=self.counted)
        return out

    def hyperparameter(self, domain: NormalDomain, name: str, suffix: str = "") -> Ratio:
        """A free hyperparameter; a suffix tells its value of another step apart."""
        label = sympy.Symbol(name + suffix, real=True)
        return domain.leaf(("hyper", name + suffix), label, domain=self.domains[name])

    def stored(self, domain: NormalDomain, program: Program, absent: Iterable[str]) -> Values:
        """The parameter and the states before the step, without the absent ones."""
        out = {ir.THETA: _stored(domain, ir.THETA, _TENSOR)}
        for state in program.states:
            if state.name not in absent and state.shape != "history":
                range_ = NONNEGATIVE if state.name in self.nonnegative else REALS
                out[state.name] = _stored(domain, state.name, _about(state), range_)
        return out


_TENSOR = {"lanes": True, "like": True}


def _stored(
    domain: NormalDomain, name: str, about: Mapping[str, bool], range_: Domain = REALS
) -> Ratio:
    label = sympy.Symbol(name, real=True)
    return domain.leaf(("stored", name), label, domain=range_, leaves=(name,), **about)


def _about(state: State) -> dict[str, bool]:
    """Whether a state differs lane by lane, and has the parameter's shape."""
    lanes = state.shape != "scalar" and state.scope == "parameter"
    return {"lanes": lanes, "like": lanes and state.shape == "like"}


def initial_values(program: Program, domain: NormalDomain, given: Values, bound: Values) -> Values:
    """The states before the first step, over the parameter's initial value."""
    start = {ir.THETA: _stored(domain, ir.THETA, _TENSOR)}
    return start | Execution(program, domain, given, start, bound).initial()


def run_or_undefined(execution: Execution[Ratio, C]) -> Values | None:
    """The step's values, None where it certainly has none."""
    try:
        return execution.run()
    except UndefinedError:
        return None
