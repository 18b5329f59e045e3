"""Other devices: where state is that was loaded there, and parameters that have no memory yet.

At level quick, and where there is no accelerator, the other device is torch's meta device: it knows
shapes, types and places, and no numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch

from instep.conformance.checks.base import Check, Failure, Outcome, Plan, Skip
from instep.conformance.observe import stored
from instep.conformance.quiet import quiet
from instep.conformance.refusals import Refused
from instep.conformance.resuming import described, required, saved_by, stopped
from instep.conformance.subject import Run

if TYPE_CHECKING:
    from instep.conformance.context import Context

META = "meta"


def checks(plan: Plan) -> Iterator[Check]:
    """State that travels, and steps without numbers."""
    if plan.algorithm.result != "parameters":
        return
    yield Check(
        "checkpoints/device",
        "should",
        "state that is loaded for parameters of another device is there, or where a step makes it",
        _loaded_elsewhere,
    )
    if plan.thorough:
        yield Check(
            "tensors/meta",
            "info",
            "a step of parameters on the meta device makes state there, shaped as on the CPU",
            _without_numbers,
        )


def accelerator() -> str:
    """The type of the device that this machine has besides its CPU; empty where it has none."""
    found = torch.accelerator.current_accelerator(check_available=True)
    return "" if found is None else found.type


class _Elsewhere:
    """An optimizer of the parameters of a run, on another device.

    Raises:
        Refused: it is not constructed there.
    """

    def __init__(self, run: Run, device: str) -> None:
        self.run, self.device = run, device
        self.parameters: list[torch.Tensor] = [
            torch.nn.Parameter(p.detach().to(device), requires_grad=p.requires_grad)
            for p in run.parameters
        ]
        subject, probe = run.subject, run.probe
        try:
            groups = subject.groups(probe, self.parameters)
            self.optimizer = subject.build(groups, probe.hyperparameters, probe.options)
        except Exception as error:
            raise Refused(f"it refuses parameters on {device}: {described(error)}") from error

    def step(self) -> None:
        """A step with the gradients of the first one."""
        for p, g in zip(self.parameters, self.run.gradients(0), strict=True):
            p.grad = None if g is None else g.to(self.device)
        with quiet():
            self.optimizer.step()

    def state(self) -> dict[tuple[int, str], torch.Tensor]:
        """Tensors with lanes that are kept for a parameter."""
        return _tensors(self.optimizer, self.parameters)


def _tensors(
    optimizer: object, parameters: list[torch.Tensor]
) -> dict[tuple[int, str], torch.Tensor]:
    return {
        (i, path): x
        for i, path, x in stored(optimizer, parameters)
        if isinstance(x, torch.Tensor) and x.numel() > 1
    }


def _made_there(run: Run, device: str) -> _Elsewhere:
    """One that made a step there.

    Raises:
        Refused: a step raises.
    """
    found = _Elsewhere(run, device)
    try:
        found.step()
    except Exception as error:
        raise Refused(f"no step on {device}: {described(error)}") from error
    return found


def _stopped(context: Context) -> Run:
    probe = context.probes.make("device", dtype="float32", shapes=((37,), (5, 3)), steps=3)
    if probe.closure:
        raise Skip("its step evaluates the gradient, which is a number")
    return stopped(context, probe)


def _loaded_elsewhere(context: Context) -> Outcome:
    first = _stopped(context)
    device = (accelerator() if context.plan.thorough else "") or META
    try:
        saved = saved_by(first)
    except Failure as failure:
        raise Skip(f"{failure}: see state/pure") from failure
    native, second = _made_there(first, device).state(), _Elsewhere(first, device)
    _load(second, saved)
    for (i, path), x in second.state().items():
        made = native.get((i, path))
        here = x.device.type
        if made is not None and here not in (device, made.device.type):
            raise Failure(f"{path} of parameter {i} is on {here}, and its parameter on {device}")
    if device != META:
        with required(f"a step on {device} after a state_dict() of the CPU was loaded"):
            second.step()
    return Outcome(message=f"loaded on {device}")


def _load(second: _Elsewhere, saved: object) -> None:
    """An exception is a failure where there are numbers, and else says nothing."""
    try:
        with quiet():
            second.optimizer.load_state_dict(saved)
    except Exception as error:
        if second.device == META:
            raise Skip(f"it cannot load without numbers: {described(error)}") from error
        raise Failure(f"load_state_dict() on {second.device} raised {described(error)}") from error


def _without_numbers(context: Context) -> Outcome:
    first = _stopped(context)
    native = _tensors(first.optimizer, first.parameters)
    made = _made_there(first, META).state()
    for (i, path), x in made.items():
        if x.device.type != META:
            raise Failure(f"{path} of parameter {i} is on {x.device.type} and takes memory there")
        known = native.get((i, path))
        if known is not None and known.shape != x.shape:
            raise Failure(
                f"{path} of parameter {i} has the shape {tuple(x.shape)}, and {tuple(known.shape)} "
                "on the CPU"
            )
    return Outcome(message=f"{len(made)} tensors")
