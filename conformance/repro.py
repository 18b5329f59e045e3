"""A failure as a script of its own, with hex floats, that needs torch and the subject alone."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from instep.conformance.errors import SubjectError
from instep.conformance.observe import Recording
from instep.conformance.oracle import Model
from instep.conformance.probes import Probe
from instep.conformance.subject import Subject, run
from instep.conformance.verdict import IN_STEP, Tally, Worst

if TYPE_CHECKING:
    from instep.conformance.report.model import Result
    from instep.conformance.suite import Session


def script(session: Session, result: Result) -> str:
    """The script of a numeric failure; empty for others.

    It is cut down to one lane where that still shows the failure, else it keeps one run as it was.
    """
    recording = session.recordings.get(result.id)
    if recording is None or recording.probe.closure:
        return ""
    judged = _judge(session, recording)
    if judged.first is None:
        return ""
    worst = judged.first
    probe = recording.probe.cut(worst.lanes.step)
    index, lane = worst.lanes.parameter, worst.lane
    small = _one_lane(probe, index, lane) if worst.spread is None else None
    if small is not None:
        try:
            alone = run(session.subject, small)
        except SubjectError:
            alone = None
        if alone is not None:
            again = _judge(session, alone)
            if again.first is not None and again.worst > IN_STEP:
                return _text(session, result, small, again, 0)
    return _text(session, result, probe, judged, index)


def _judge(session: Session, recording: Recording) -> Tally:
    model = Model(session.plan.algorithm)
    return session.context.judge(recording, model=model).tally


def _one_lane(probe: Probe, index: int, lane: int) -> Probe | None:
    """The same run of a single number; None where groups make that another run."""
    if probe.complex or any(index in indices for indices, _ in probe.groups):
        return None

    def pick(x: Any) -> Any:
        return None if x is None else np.ravel(x)[lane : lane + 1]

    return replace(
        probe,
        name=f"{probe.name}-lane",
        parameters=(pick(probe.parameters[index]),),
        gradients=tuple((pick(step[index]),) for step in probe.gradients),
        groups=(),
        touched=tuple(
            (pick(np.broadcast_to(step[index], np.shape(probe.parameters[index]))),)
            for step in probe.touched
        ),
    )


def _text(session: Session, result: Result, probe: Probe, tally: Tally, index: int) -> str:
    assert tally.first is not None
    lanes = tally.first.lanes
    steps = probe.cut(lanes.step)
    sparse = bool(steps.touched)
    lines = [
        f'"""{result.id}: {result.requirement}."""',
        "import torch",
        *_import(session.subject),
        "",
        f"dtype = torch.{probe.dtype}",
        "number = float.fromhex",
        f"start = {_numbers(steps.parameters)}",
        f"gradients = {_numbers(steps.gradients)}",
        *([f"touched = {[[x.tolist() for x in t] for t in steps.touched]}"] if sparse else []),
        "",
        f"parameters = [torch.nn.Parameter({_tensor('x', probe)}) for x in start]",
        *_run(session, steps),
        "",
        *_comparison(tally.first, index, probe),
    ]
    return "\n".join(lines) + "\n"


def _tensor(x: str, probe: Probe) -> str:
    """Text of a tensor of listed numbers."""
    text = f"torch.tensor({x}, dtype=dtype)"
    return f"torch.view_as_complex({text})" if probe.complex else text


def _comparison(worst: Worst, index: int, probe: Probe) -> list[str]:
    """Lines that compare: one lane with its bound, or the whole tensor with its spread."""
    lanes, lane = worst.lanes, worst.lane
    if worst.spread is not None:
        return [
            f"expected = torch.tensor({_numbers(lanes.expected)}, dtype=torch.float64)",
            f"away = parameters[{index}].detach().double() - expected",
            f"off = away.norm().item() / number({worst.spread.hex()!r})",
            'print(f"{off:.3g} norm-wise spreads off")',
            "assert off <= 2",
        ]
    parameter = f"parameters[{index}]"
    if probe.complex:
        parameter = f"torch.view_as_real({parameter}.detach())"
    expected, bound = (float(np.ravel(x)[lane]).hex() for x in (lanes.expected, lanes.bound))
    return [
        f"got = {parameter}.flatten()[{lane}].item()",
        f"expected, bound = number({expected!r}), number({bound!r})",
        "off = abs(got - expected) / bound",
        'print(f"expected {expected!r}, got {got!r}: {off:.3g} bounds off")',
        "assert abs(got - expected) <= 2 * bound",
    ]


def _run(session: Session, steps: Probe) -> list[str]:
    """The loop; a function's new gradients take the place of the parameters, as in the probe."""
    call = _construction(session.subject, steps)
    give = [
        "    for p, g in zip(parameters, given):",
        f"        p.grad = None if g is None else {_tensor('g', steps)}",
    ]
    give += _SPARSE if steps.touched else []
    if session.plan.algorithm.result == "gradient":
        put = "            p.copy_(p if p.grad is None else p.grad)"
        loop = "    with torch.no_grad():", "        for p in parameters:", put
        return ["for given in gradients:", *give, f"    {call}", *loop]
    head = "for step, given in enumerate(gradients, start=1):"
    changes = _changes(session, steps)
    elsewhere = any(v.name == "eval" for v in session.plan.algorithm.views)
    begin = ['if hasattr(optimizer, "train"):', "    optimizer.train()"] if elsewhere else []
    return [f"optimizer = {call}", *begin, head, *changes, *give, "    optimizer.step()"]


_SPARSE = [
    "    for p, named in zip(parameters, touched[step - 1]):",
    "        if p.grad is not None:",
    "            where = torch.tensor(named).expand(p.shape).nonzero().T",
    "            values = p.grad[tuple(where)] if p.dim() else p.grad.expand(where.shape[1])",
    "            where, values = torch.cat([where, where], 1), torch.cat([values, values]) / 2",
    "            p.grad = torch.sparse_coo_tensor(where, values, p.shape)",
]


def _import(subject: Subject) -> list[str]:
    factory = subject.factory
    while isinstance(factory, functools.partial):
        factory = factory.func
    module = getattr(factory, "__module__", "")
    name = getattr(factory, "__qualname__", "")
    if not name or "<" in name or module in ("", "__main__"):
        return [f"# put your optimizer here: {subject.name}"]
    return [f"from {module} import {name.split('.')[0]}"]


def _construction(subject: Subject, probe: Probe) -> str:
    factory = subject.factory
    while isinstance(factory, functools.partial):
        factory = factory.func
    name = getattr(factory, "__qualname__", "Optimizer")
    keywords = subject.arguments(probe.hyperparameters, probe.options)
    shown = ", ".join(f"{k}={v!r}" for k, v in keywords.items())
    return f"{name if '<' not in name else 'Optimizer'}({_groups(subject, probe)}, {shown})"


def _groups(subject: Subject, probe: Probe) -> str:
    if not probe.groups:
        return "parameters"
    special = {i for indices, _ in probe.groups for i in indices}
    rest = [i for i in range(len(probe.parameters)) if i not in special]
    groups = [f"dict(params={_chosen(rest)})"] if rest else []
    own = subject.group_values(probe)
    for (indices, _), values in zip(probe.groups, own, strict=True):
        shown = ", ".join(f"{k}={v!r}" for k, v in values.items())
        groups.append(f"dict(params={_chosen(list(indices))}, {shown})")
    return f"[{', '.join(groups)}]"


def _chosen(indices: list[int]) -> str:
    return f"[{', '.join(f'parameters[{i}]' for i in indices)}]"


def _changes(session: Session, probe: Probe) -> list[str]:
    lines = []
    group = session.subject.group_defaults(probe) if probe.changes else {}
    for step, values in probe.changes.items():
        entries = session.subject.entries(group, values)
        group |= entries
        lines.append(f"    if step == {step}:")
        lines.append("        for group in optimizer.param_groups:")
        lines.append(f"            group.update({entries!r})")
    return lines


def _numbers(x: Any) -> str:
    """Nested lists of hex floats."""
    if x is None:
        return "None"
    if isinstance(x, tuple | list):
        return f"[{', '.join(_numbers(y) for y in x)}]"
    array = np.asarray(x)
    if array.ndim == 0:
        return f"number({float(array).hex()!r})"
    return f"[{', '.join(_numbers(y) for y in array)}]"
