"""Text of one class, and the class itself without a file."""

from __future__ import annotations

import itertools
import linecache
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

import jinja2

from instep.reference.generate.emit import (
    acceptance_text,
    eager,
    frame_text,
    kernel_c,
    kernel_call,
    schedule,
    transform,
    vectorized,
    views,
)
from instep.reference.generate.errors import GenerateError, NoListFormError
from instep.reference.generate.frame import Frame, Parameter
from instep.reference.generate.lower.kernel import KernelForm, kernel_form
from instep.reference.generate.lower.resolve_options import resolve_options
from instep.reference.generate.lower.rows import on_named_lanes
from instep.reference.generate.lower.select_branches import select_branches
from instep.spec import ir
from instep.spec.gradients import needs_closure
from instep.spec.model import Algorithm

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("instep.reference.generate"),
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    undefined=jinja2.StrictUndefined,
    autoescape=False,  # Python, not HTML
)
_TITLES = {
    "eager": "The readable reference: one tensor at a time, one line per equation.",
    "vectorized": "Drop-in optimizers: torch's arguments, state, checkpoints; many tensors a call.",
}
# The folder of the learning-rate schedulers.
SCHEDULES = "schedules"
TRANSFORMS = "transforms"
KERNELS = "kernels"
_numbers = itertools.count()


def generate_source(algorithm: Algorithm, target: str) -> str:
    """The text of a module that defines the algorithm's class, not yet formatted.

    Args:
        algorithm: a specification seen through one of its dialects, or one without dialects.
        target: `eager` or `vectorized`.

    Raises:
        GenerateError: an unknown target, or an equation that the target cannot print.
    """
    if target not in TARGETS:
        raise GenerateError(f"there is no target {target!r}; there are {', '.join(TARGETS)}")
    if any(isinstance(s, ir.Apply) for s in ir.statements(algorithm.body)):
        raise GenerateError(f"{algorithm.name} wraps another algorithm; compose the two first")
    frame = Frame(algorithm, resolve_options(algorithm))
    text = _TEMPLATES.get_template(f"{target}.py.jinja").render(TARGETS[target](frame))
    return re.sub(r"\n{4,}", "\n\n\n", text).rstrip("\n") + "\n"


def module_name(algorithm: Algorithm) -> str:
    """`step_lr` of step-lr."""
    return algorithm.name.replace("-", "_")


def generate_package(algorithms: Sequence[Algorithm], target: str) -> str:
    """The text of the package that holds the exported classes of one target."""
    names = {module_name(a): Frame(a, ()).name for a in algorithms}
    return _TEMPLATES.get_template("package.py.jinja").render(
        source="spec/",
        command=frame_text.COMMAND,
        title=_TITLES[target],
        classes=sorted(names.items()),
        exports=_sorted(names.values()),
        target=target,
    )


def _sorted(exports: Iterable[str]) -> list[str]:
    """Constants come first in a sorted __all__, and ruff takes SGD for one."""
    return sorted(exports, key=lambda name: (not name.isupper(), name))


def generate_kernel(algorithm: Algorithm) -> str | None:
    """The text of a kernel in C; None where the equations are not the same for each lane alone."""
    frame = Frame(algorithm, on_named_lanes(resolve_options(algorithm)))
    form = _kernel_form(frame)
    if form is None:
        return None
    return _TEMPLATES.get_template("kernel.c.jinja").render(kernel_c.context(frame, form))


def _kernel_form(frame: Frame) -> KernelForm | None:
    if eager.is_lockstep(frame):
        return None
    try:
        return kernel_form(frame)
    except NoListFormError:
        return None


def generate_schedule(algorithm: Algorithm) -> str:
    """The text of a module that defines a scheduler, not yet formatted."""
    text = _TEMPLATES.get_template("schedule.py.jinja").render(schedule.context(algorithm))
    return re.sub(r"\n{4,}", "\n\n\n", text).rstrip("\n") + "\n"


def generate_schedule_package(algorithms: Sequence[Algorithm]) -> str:
    """The text of the package that holds the schedulers."""
    found = [(module_name(a), a.dialect.export) for a in algorithms if a.dialect]
    return _TEMPLATES.get_template("package.py.jinja").render(
        source="spec/",
        command=frame_text.COMMAND,
        title="Learning-rate schedulers: the recurrence, and the closed form where there is one.",
        classes=found,
        exports=_sorted(name for _, name in found),
        target=SCHEDULES,
    )


def generate_transform(algorithm: Algorithm) -> str:
    """The text of a module that defines a function on gradients, not yet formatted."""
    frame = Frame(algorithm, resolve_options(algorithm))
    text = _TEMPLATES.get_template("transform.py.jinja").render(transform.context(frame))
    return re.sub(r"\n{4,}", "\n\n\n", text).rstrip("\n") + "\n"


def generate_transform_package(algorithms: Sequence[Algorithm]) -> str:
    """The text of the package that holds the functions on gradients."""
    found = [(module_name(a), transform.function_name(Frame(a, ()))) for a in algorithms]
    return _TEMPLATES.get_template("package.py.jinja").render(
        source="spec/",
        command=frame_text.COMMAND,
        title="Functions that change gradients in place.",
        classes=found,
        exports=_sorted(name for _, name in found),
        target=TRANSFORMS,
    )


def load_class(algorithm: Algorithm, target: str) -> type[Any]:
    """The class that `generate_source` writes, without writing it; tracebacks show its lines."""
    module = _executed(algorithm, target, generate_source(algorithm, target))
    loaded = getattr(module, Frame(algorithm, ()).name)
    assert isinstance(loaded, type)
    kernel = getattr(loaded, "_kernel", None)
    if kernel is not None:
        loaded._kernel = replace(kernel, text=generate_kernel(algorithm))  # type: ignore[attr-defined]
    return loaded


def load_function(algorithm: Algorithm) -> Callable[..., Any]:
    """The function on gradients that `generate_transform` writes, without writing it."""
    module = _executed(algorithm, TRANSFORMS, generate_transform(algorithm))
    loaded: Callable[..., Any] = getattr(module, transform.function_name(Frame(algorithm, ())))
    return loaded


def _executed(algorithm: Algorithm, folder: str, text: str) -> ModuleType:
    name = f"_instep_{folder}_{re.sub(r'[^a-z0-9]', '_', algorithm.full_name)}_{next(_numbers)}"
    file = f"<{name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    module = ModuleType(name)
    sys.modules[name] = module  # pickle and deepcopy look a class up by its module
    exec(compile(text, file, "exec"), module.__dict__)
    return module


def _shared_context(frame: Frame) -> dict[str, Any]:
    algorithm = frame.algorithm
    arguments = frame.in_order(frame.arguments())
    return {
        "source": frame_text.source_file(algorithm),
        "dialect": algorithm.full_name,
        "command": frame_text.COMMAND,
        "name": frame.name,
        "documentation": frame_text.documentation(frame),
        "domains": frame_text.domains(frame),
        "pinned": frame.pinned(),
        "older": {a.key: a.default for a in arguments if a.annotation == "bool"},
        "layout": frame_text.layout(frame),
        "signature": frame_text.signature(arguments),
        "entries": [a.key for a in arguments],
        "extra": "",
        "requirements": frame_text.requirements(frame),
        "shapes": frame_text.shapes(frame),
        "choices": frame.choices(),
        "initial": frame_text.initial_state(frame),
        "shared": frame_text.shared_state(frame),
        "lockstep": eager.is_lockstep(frame),
        "shape_queries": [],
        "kernel": None,
        "has_foreach": True,
        "closure": needs_closure(frame.body),
        "shared_keys": ", ".join(f'"{key}"' for key in frame_text.shared_keys(frame)),
        "common": ", ".join(f'"{key}"' for key in frame_text.common_keys(frame)),
        "constructs_state": algorithm.state_from == "construction",
        "flat_keys": ", ".join(f'"{s.key}"' for s in frame.states() if s.flat),
        "one_group": all(h.scope == "optimizer" for h in algorithm.hyperparameters),
        "unset": frame_text.unset(frame),
        "group_keys": ", ".join(f'"{key}"' for key in frame_text.group_keys(frame)),
        "views": views.methods(frame),
        "mixin": _mixin(algorithm.views),
    }


def _eager_context(frame: Frame) -> Mapping[str, Any]:
    context = _shared_context(frame) | acceptance_text.acceptance(frame, gathers=False)
    context["equations"] = eager.emit(frame)
    base = "LockstepOptimizer" if context["lockstep"] else "EagerOptimizer"
    return {**context, "base": _bases(frame, base), "imports": _imports(context, base)}


def _bases(frame: Frame, base: str) -> str:
    """The way to run comes last: what views add to a step stands before it."""
    mixin = _mixin(frame.algorithm.views)
    return f"{mixin}, {base}" if mixin else base


def _mixin(views: Sequence[Any]) -> str:
    """The base that offers the points between steps, if there are any."""
    if any(v.name == "eval" for v in views):
        return "EvaluationPoint"
    return "Views" if views else ""


def _vectorized_context(frame: Frame) -> Mapping[str, Any]:
    context = _shared_context(frame) | acceptance_text.acceptance(frame, gathers=True)
    body = frame.body if context["masked"] else on_named_lanes(frame.body)
    frame = replace(frame, body=body)
    context["equations"] = eager.emit(frame)
    base = "VectorizedLockstep" if context["lockstep"] else "VectorizedOptimizer"
    flags, backend = frame_text.flags(frame), frame_text.backend(frame)
    arguments = frame.in_order([*frame.arguments(), *flags])
    context |= {
        "base": _bases(frame, base),
        "documentation": frame_text.documentation(frame, (*flags, backend)),
        "signature": frame_text.signature([*arguments, backend]),
        "entries": [a.key for a in arguments],
        "extra": ", backend",
        "older": context["older"] | {flag.key: flag.default for flag in flags},
        "foreach": vectorized.emit(frame),
        "captured": _captured(frame, flags),
        "shape_queries": vectorized.shape_queries(frame),
    }
    form = _kernel_form(frame)
    if form is not None:
        keys = [s.key for s in form.states]
        reduced = [s.key for s in form.states if s.shape == "reduced"]
        name = module_name(frame.algorithm)
        context["kernel"] = {"name": name, "states": keys, "reduced": reduced}
        context["call"] = kernel_call.emit(frame, form)
    context["has_foreach"] = context["foreach"] is not None or context["lockstep"]
    return {**context, "imports": _imports(context, base)}


def _captured(frame: Frame, flags: Sequence[Parameter]) -> list[str] | None:
    """Lines of the equations for a captured step, where they differ from those of any other."""
    if eager.is_lockstep(frame) or "capturable" not in {flag.key for flag in flags}:
        return None
    body = select_branches(frame.algorithm, frame.body)
    return None if body is None else eager.emit(replace(frame, body=body))


def _imports(context: Mapping[str, Any], base: str) -> str:
    parts = [context["equations"], context["initial"], context["domains"].values()]
    parts += [method.lines for method in context["views"]]
    parts += [context.get("foreach") or (), context.get("call") or ()]
    text = "\n".join(line for part in parts for line in part)
    lines = ["from collections.abc import Mapping"]
    if re.search(r"\binf\b", text):
        lines.append("from math import inf")
    any_ = ", Any" if re.search(r"\bAny\b", text) else ""
    lines += [f"from typing import {any_.removeprefix(', ')}{', ' if any_ else ''}ClassVar", ""]
    if re.search(r"\btorch\.", text):
        lines.append("import torch")
    lines += ["from torch import Tensor", "from torch.optim.optimizer import ParamsT", ""]
    return "\n".join(lines + _runtime_imports(text, context, base))


def _runtime_imports(text: str, context: Mapping[str, Any], base: str) -> list[str]:
    runtime = "instep.reference.runtime"
    lines = []
    if re.search(r"\bmath\.", text):
        lines.append(f"from {runtime} import scalar_math as math")
    if base == "EagerOptimizer":
        lines.append(f"from {runtime}.eager import EagerOptimizer")
    intervals = ["Domain"] + ["Interval"] * ("Interval(" in text)
    lines.append(f"from {runtime}.intervals import {', '.join(intervals)}")
    if context.get("kernel"):
        lines.append(f"from {runtime}.kernels.launch import Call")
        lines.append(f"from {runtime}.kernels.library import Kernel")
    if context["lockstep"]:
        requests = [
            r for r in ("Gradient", "LossAndGradient", "Max", "Sum") if f"yield {r}(" in text
        ]
        names = [*requests, *([base] if base == "LockstepOptimizer" else []), "Steps"]
        lines.append(f"from {runtime}.lockstep import {', '.join(sorted(names))}")
    names = ["Accepts"] * bool(context["accepts"]) + ["spread"] * ("spread(" in text)
    if names:
        lines.append(f"from {runtime}.sparse import {', '.join(names)}")
    if base.startswith("Vectorized"):
        names = ["Backend", *["Tensors"] * bool(context["foreach"]), base]
        lines.append(f"from {runtime}.vectorized import {', '.join(names)}")
    if context["mixin"]:
        lines.append(f"from {runtime}.views import {context['mixin']}")
    work = ["Group"] + ["Layout"] * bool(context["layout"]) + ["State"]
    work += [f for f in ("cols_like", "rows_like", "unit_axes", "unit_size") if f"{f}(" in text]
    lines.append(f"from {runtime}.work import {', '.join(work)}")
    return lines


TARGETS: dict[str, Callable[[Frame], Mapping[str, Any]]] = {
    "eager": _eager_context,
    "vectorized": _vectorized_context,
}
