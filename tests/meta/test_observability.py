"""The observability certificate: whatever a specification holds, some probe shows.

For each hyperparameter, option and term of every dialect there must be a probe on which a change of
it moves a parameter by 2048 bounds of the widest type. What no probe sees, no check can judge.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from instep import spec
from instep.conformance.descents import descents
from instep.conformance.mutate import mutants
from instep.conformance.oracle import Model, Oracle
from instep.conformance.probes import Probe, ProbeFactory
from instep.conformance.profile import grades
from instep.conformance.spread import POINT, Spread
from instep.spec import ir
from instep.spec.algebra import equal
from instep.spec.arguments import Hyperparameter, OptionValue
from instep.spec.arithmetic import Float64
from instep.spec.author import algorithm, grad, holds, hyper, let, local, theta, where
from instep.spec.conditions import violated
from instep.spec.errors import SpecError
from instep.spec.gradients import reads_loss
from instep.spec.model import Algorithm
from instep.spec.options import decide, resolve, silent_states
from sampling import each_dialect

SEEN = 2048
TERMS = ("first term missing", "second term missing", "sign missing")
PROFILE = grades("float64")[0]


def path(model: Model, probe: Probe) -> list[tuple[np.ndarray, np.ndarray]]:
    """Values and bounds of all lanes, and of all points to read, after every step."""
    oracle, out = Oracle(model, probe, PROFILE), []
    for t in range(1, probe.steps + 1):
        with np.errstate(all="ignore"):
            oracle.step(t)
        points = [slot.theta for slot in oracle.interpreter.slots]
        for view in model.algorithm.views:
            points += oracle.interpreter.view(view.name)
        # A mutant may have made a parameter one number, or one for each row.
        shapes = [np.shape(p) for p in probe.parameters] * (1 + len(model.algorithm.views))
        value, bound = (
            np.concatenate(
                [
                    np.ravel(np.broadcast_to(getattr(x, part), shape))
                    for x, shape in zip(points, shapes, strict=True)
                ]
            )
            for part in ("value", "bound")
        )
        out.append((value, bound))
    return out


def distance(ours: list[tuple[np.ndarray, np.ndarray]], other: Model, probe: Probe) -> float:
    """The largest number of bounds that another model moves a lane by."""
    most = 0.0
    with np.errstate(all="ignore"):
        for (value, bound), (moved, _) in zip(ours, path(other, probe), strict=True):
            usable = np.isfinite(value) & np.isfinite(bound)
            away = np.where(moved == value, 0.0, np.abs(moved - value) / bound)
            most = max(most, np.max(np.nan_to_num(away[usable], nan=np.inf), initial=0.0))
    return most


# By name: values of all parameters together, and how far runs that round at random lie apart.
Quantities = dict[str, tuple[Any, float]]


def whole_path(model: Model, probe: Probe, *, spreads: bool = False) -> list[Quantities]:
    """Per step, parameters, points where the gradient is evaluated, and how many there are.

    A step that evaluates the gradient elsewhere is another one, wherever it goes.
    """
    start, out = partial(Oracle, model, probe, PROFILE), []
    oracle, spread = start(Float64()), Spread(PROFILE, start)
    for t in range(1, probe.steps + 1):
        with np.errstate(all="ignore"):
            oracle.step(t)
        found = {ir.THETA: [slot.theta for slot in oracle.interpreter.slots]}
        found |= {f"{POINT}{k}": p.values for k, p in enumerate(oracle.points, start=1)}
        step = {"points": (np.array([float(len(oracle.points))]), 0.0)}
        for name, values in found.items():
            apart = _apart(spread, name, t, values) if spreads else 0.0
            step[name] = np.concatenate([np.ravel(x) for x in values]), apart
        out.append(step)
    return out


def _apart(spread: Spread, name: str, t: int, values: list[Any]) -> float:
    runs = [spread.values(name, t, i) - x for i, x in enumerate(values)]
    return float(max(np.linalg.norm(x) for x in np.concatenate(_rows(runs), axis=1)))


def _rows(runs: list[Any]) -> list[Any]:
    return [x.reshape(len(x), -1) for x in runs]


def whole_distance(ours: list[Quantities], other: Model, probe: Probe) -> float:
    """The largest number of spreads that another model moves all parameters together by."""
    with np.errstate(all="ignore"):
        pairs = zip(ours, whole_path(other, probe), strict=True)
        return max(_furthest(step, moved) for step, moved in pairs)


def _furthest(ours: Quantities, other: Quantities) -> float:
    """In spreads; a point that only one of the two has is counted by the number of points."""
    away = [(_norm(x, other[name][0]), a) for name, (x, a) in ours.items() if name in other]
    return float(max(0.0 if m == 0 else np.nan_to_num(m / a, nan=np.inf) for m, a in away))


def _norm(x: Any, y: Any) -> Any:
    """Distance of two vectors; NaN is near to NaN alone."""
    same = (x == y) | (np.isnan(x) & np.isnan(y))
    return np.linalg.norm(np.where(same, 0.0, x - y))


class Certificate:
    """The probes of one dialect, and how far each change moves the result on the best of them.

    Algorithms that read the loss branch on data, where a bound for every lane says nothing: there
    the spread of runs that round at random is the measure.
    """

    def __init__(self, algorithm: Algorithm) -> None:
        self.algorithm = algorithm
        self.options = algorithm.option_defaults()
        self.factory = ProbeFactory(algorithm, algorithm.defaults(), self.options)
        self.probes = list(self._probes())
        self.whole = reads_loss(algorithm.body)
        own = partial(whole_path, spreads=True) if self.whole else path
        self.ours: list[Any] = [own(Model(algorithm), probe) for probe in self.probes]

    def distance(self, ours: Any, other: Model, probe: Probe) -> float:
        """How far another model goes elsewhere on one probe."""
        return (whole_distance if self.whole else distance)(ours, other, probe)

    def _probes(self) -> Iterator[Probe]:
        yield self.factory.make("dyadic", shapes=((67,), (5, 7)), changes=self._rate())
        yield self.factory.make(
            "defaults", values=self.algorithm.defaults(), shapes=((67,), (5, 7))
        )
        yield self.factory.make("long", shapes=((31,), (3, 5)), steps=40)
        for name in self._own_at_zero():
            yield self.factory.make(
                f"zero-{name}", values={name: 0.0}, shapes=((67,),), steps=5, calm=True
            )
        if self.factory.reduces:
            yield self._pausing()
        if reads_loss(self.algorithm.body):
            yield from (probe for _, probe in descents(self.factory))
            names = [h.name for h in self.algorithm.hyperparameters]
            for name, value in self.factory.other_values(names, whole=True).items():
                yield self.factory.make(f"other-{name}", values={name: value})

    def _pausing(self) -> Probe:
        """Norms of zero beside parameters that are not: all gradients pause, as in gradients/zero.

        Lane by lane the other probes pause already.
        """
        probe = self.factory.make("pausing", shapes=((67,), (5, 7)))
        gradients = tuple(
            tuple(np.zeros_like(g) if 3 <= t < 7 else g for g in step)
            for t, step in enumerate(probe.gradients)
        )
        return replace(probe, gradients=gradients)

    def _own_at_zero(self) -> list[str]:
        """Hyperparameters at whose 0 the dialect has equations of its own; there is a corner."""
        found = set()
        for branch in ir.statements(resolve(self.algorithm.body, self.options)):
            match branch:
                case ir.If(ir.Compare("==", ir.Sym(name), ir.Const(0)), own, _) if own:
                    found.add(name)
                case ir.If(
                    ir.Logic("not", (ir.Compare("==", ir.Sym(name), ir.Const(0)),)), _, own
                ) if own:
                    found.add(name)
        return [h.name for h in self.algorithm.hyperparameters if h.name in found]

    def _rate(self) -> dict[int, dict[str, float]]:
        other = self.factory.other_values(h.name for h in self.algorithm.hyperparameters)
        if "lr" not in other:
            return {}
        # Down and up: what keeps the largest learning rate so far shows only where it rises.
        risen = 8 * self.factory.probe_values()["lr"]
        up = {"lr": risen} if self.factory.admits({"lr": risen}) else {}
        return {6: {"lr": other["lr"]}, 9: up}

    def seen(self, other: Model) -> bool:
        """Whether a probe shows it; a step that raises shows a mistake without one."""
        pairs = zip(self.ours, self.probes, strict=True)
        try:
            return any(self.distance(ours, other, probe) >= SEEN for ours, probe in pairs)
        except SpecError:
            return True

    def hides(self, h: Hyperparameter) -> bool:
        """Whether it has other admissible values, and none shows on any probe."""
        others = 0
        for probe, ours in zip(self.probes, self.ours, strict=True):
            for value in self._other_values(h, probe):
                others += 1
                model = Model(self.algorithm, distort={h.name: lambda _, value=value: value})
                if self.distance(ours, model, probe) >= SEEN:
                    return False
        return others > 0

    def _other_values(self, h: Hyperparameter, probe: Probe) -> Iterator[float]:
        own = probe.hyperparameters[h.name]
        for value in (own / 2, own * 2, own + 1, (1 + own) / 2, 0.0, h.default):
            values = {**probe.hyperparameters, h.name: value}
            fits = h.domain.contains(value) and value != own
            if fits and not violated(self.algorithm, values, probe.options):
                yield value

    def other_options(self) -> Iterator[tuple[str, OptionValue]]:
        """Every other value of the options that the constructor has.

        Those that only refuse what is not finite are seen by the checks of refusals.
        """
        read = {n.name for n in ir.nodes(self.algorithm.body) if isinstance(n, ir.Opt)}
        for option in self.algorithm.options:
            shown = option.argument is not None and option.name in read
            for value in option.values if shown else ():
                if value != self.options[option.name] and self.factory.possible(
                    {option.name: value}
                ):
                    yield option.name, value


def means_something(algorithm: Algorithm, h: Hyperparameter) -> bool:
    """Whether the dialect does not exclude a hyperparameter."""
    options = algorithm.option_defaults()
    return not any(decide(e.condition, options) for e in algorithm.exclusions if e.name == h.name)


@pytest.mark.parametrize("dialect", each_dialect(share=3))
def test_a_probe_shows_every_hyperparameter_option_and_term(dialect: str):
    ours = spec.get(dialect)
    certificate = Certificate(ours)
    used = [h for h in ours.hyperparameters if means_something(ours, h)]
    hidden = [h.name for h in used if certificate.hides(h)]
    for name, value in certificate.other_options():
        if not certificate.seen(Model(ours, options={name: value})):
            hidden.append(f"{name}={value}")
    silent = unseen(ours)
    terms = [
        m
        for m in mutants(ours)
        if m.kind in TERMS and m.equation not in silent and not certificate.seen(m.model)
    ]
    hidden += [m.name for m in terms if equal(m.model.algorithm, ours).status != "equal"]
    assert not hidden


def unseen(algorithm: Algorithm) -> set[str]:
    """Equations of states that no parameter depends on: they are judged by what is stored."""
    silent = silent_states(algorithm, algorithm.option_defaults())
    return {let.equation for let in ir.lets(algorithm.body) if let.target.name in silent}


def test_what_no_probe_shows_is_found():
    """The certificate fails where a hyperparameter matters to no gradient that is ever probed."""
    with algorithm("blind", "A slope for gradients that no probe has") as draft:
        lr, slope = hyper("lr", 0.125), hyper("slope", 0.5)
        g = local("g")
        let("gradient", g, where(holds(grad(theta) > 2.0**40), slope * grad(theta), grad(theta)))
        let("update", theta, theta - lr * g)
    certificate = Certificate(draft.algorithm)
    hidden = [h.name for h in draft.algorithm.hyperparameters if certificate.hides(h)]
    assert hidden == ["slope"]
