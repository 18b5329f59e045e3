"""Points between steps: a method for each view, and one for the way back where there is one."""

from __future__ import annotations

from dataclasses import dataclass

from instep.reference.generate.emit.frame_text import counter_key
from instep.reference.generate.emit.lines import Lines
from instep.reference.generate.emit.printer import Names, Printer
from instep.reference.generate.errors import GenerateError, unknown
from instep.reference.generate.frame import Frame
from instep.spec import ir
from instep.spec.scope import infer


@dataclass(frozen=True)
class Method:
    """One generated method: its name, what its docstring says, its lines."""

    name: str
    documentation: str
    lines: list[str]


def methods(frame: Frame) -> list[Method]:
    """`_view_eval` and, with an inverse, `_leave_eval`."""
    out = []
    for view in frame.algorithm.views:
        what = view.description or f"the view {view.name}"
        said = f"{what[0].upper()}{what[1:]}."
        out.append(Method(f"_view_{view.name}", said, _body(frame, view.value)))
        if view.inverse is not None:
            said = f"The parameter, from the point {view.name}."
            out.append(Method(f"_leave_{view.name}", said, _body(frame, view.inverse)))
    return out


def _body(frame: Frame, expr: ir.Expr) -> list[str]:
    read = {n.name for n in ir.walk(expr) if isinstance(n, ir.Sym)}
    lines = Lines()
    for key, hyperparameters in frame.hyperparameters():
        names = [h.name if h.name in read else "_" for h in hyperparameters]
        if set(names) != {"_"}:
            lines.add(f'{", ".join(names)} = group["{key}"]')
    for s in frame.states():
        if s.name in read and s.scope != "parameter":
            raise GenerateError(f"{frame.algorithm.name}: a view reads the shared state {s.name}")
        if s.name in read:
            # Said aloud, since nothing else tells a type checker what leaves here.
            kind = "" if s.shape == "scalar" else ": Tensor"
            lines.add(f'{s.name}{kind} = state["{s.key}"]')
    counter = frame.algorithm.counter
    if counter is not None and counter.name in read:
        lines.add(f'{counter.name} = state["{counter_key(frame)}"]')
    value = _printer(frame)(expr)
    if isinstance(expr, ir.Sym):
        lines.add(f"return {value}")
    else:
        lines.add(f"point: Tensor = {value}")
        lines.add("return point")
    return lines.texts


def _printer(frame: Frame) -> Printer:
    def refuse(what: object) -> str:
        raise unknown("view", what)

    def option(name: str, value: object) -> tuple[str, bool | str]:
        raise unknown("view", name)

    names = Names(lambda name: name, refuse, refuse, option, refuse, refuse)
    return Printer("view", names, infer(frame.algorithm, frame.body).of)
