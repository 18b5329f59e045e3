"""One call of a kernel: which tensors fit, where they lie, on how many threads it runs."""

from __future__ import annotations

import os
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import Parameter

from instep.reference.runtime.kernels.library import STORED, Kernel, Library, load
from instep.reference.runtime.work import Work

# Subclasses may hold their numbers elsewhere, or none.
PLAIN = (Tensor, Parameter)
_is_fork = False

# As many lanes as are worth a thread of their own; torch's own loops share out as many.
_GRAIN = 32768


@dataclass(frozen=True, slots=True)
class Call:
    """What a kernel is told besides its tensors; `made` are states that this step makes."""

    switches: Mapping[str, bool]
    numbers: tuple[float, ...]
    made: Mapping[str, bool] = field(default_factory=dict)


def may_launch(group: Mapping[str, object]) -> bool:
    """Whether a group may run a kernel: it asks for one or for nothing, and nobody is tracing."""
    if group.get("foreach") or group.get("fused") is False or torch.compiler.is_compiling():
        return False
    return not is_traced()


def is_traced() -> bool:
    """Whether operations are intercepted, as make_fx and fake tensors do: a kernel is not one."""
    depth: int = torch._C._len_torch_dispatch_stack()
    return depth > 0


def fits(work: Work, kernel: Kernel) -> bool:
    """Whether a kernel can run on a parameter and what is kept of it, as they lie in memory."""
    theta, grad = work.theta, work.grad
    if type(work.parameter) not in PLAIN or type(grad) not in PLAIN:
        return False
    if work.lanes is not None or grad.dtype != theta.dtype or grad.device != theta.device:
        return False
    if theta.device.type != "cpu" or theta.dtype not in STORED or theta.is_neg():
        return False
    if not is_dense(theta):
        return False
    kept = ((key, work.state.get(key)) for key in kernel.states)
    return all(x is None or _lies_like(x, _whole(key, kernel, theta)) for key, x in kept)


def _whole(key: str, kernel: Kernel, theta: Tensor) -> Tensor:
    """A tensor like the one under a key of the state."""
    return theta.new_empty(()) if key in kernel.reduced else theta


def is_dense(x: Tensor) -> bool:
    """Whether the lanes fill a stretch of memory, each once, in whatever order."""
    if x.is_contiguous():
        return True
    expected = 1
    for stride, size in sorted(zip(x.stride(), x.shape, strict=True)):
        if size > 1 and stride != expected:
            return False
        expected *= size
    return True


def _lies_like(x: object, theta: Tensor) -> bool:
    return (
        isinstance(x, Tensor)
        and type(x) in PLAIN
        and x.dtype == theta.dtype
        and x.device == theta.device
        and x.shape == theta.shape
        and (x.stride() == theta.stride() or (x.is_contiguous() and theta.is_contiguous()))
        and not x.is_neg()
    )


def launch(kernel: Kernel, works: Sequence[Work], call: Call) -> Library:
    """Run a kernel on parameters that fit; their tensors are written in place.

    Raises:
        KernelUnavailableError: there is no such kernel here; nothing has changed.
    """
    library = load(kernel, works[0].theta.dtype, call.switches)
    lengths, theta, grad, kept = array("l"), array("L"), array("L"), array("L")
    gradients = [like(work.grad, work.theta) for work in works]
    for work, gradient in zip(works, gradients, strict=True):
        for key, made in call.made.items():
            if made and work.state.get(key) is None:
                work.state[key] = torch.empty_like(_whole(key, kernel, work.theta))
        states = (work.state.get(key) for key in kernel.states)
        lengths.append(work.theta.numel())
        theta.append(work.theta.data_ptr())
        grad.append(gradient.data_ptr())
        kept.extend(0 if x is None else x.data_ptr() for x in states)
    first = works[0].state
    columns = [i if first.get(key) is not None else -1 for i, key in enumerate(kernel.states)]
    run(library, lengths, (theta, grad, kept), columns, call.numbers)
    torch.autograd.graph.increment_version([t for w in works for t in _written(w, kernel)])
    return library


def run(
    library: Library,
    lengths: array[int],
    addresses: tuple[array[int], array[int], array[int]],
    columns: Sequence[int],
    numbers: Sequence[float],
) -> None:
    """Call a kernel.

    Args:
        library: the kernel's functions.
        lengths: lanes of each tensor.
        addresses: of the parameters, of the gradients, and of what is kept, a row a parameter.
        columns: where in a row each state of the kernel is; -1 for one that is not there.
        numbers: what the host has computed.
    """
    count, (theta, grad, kept) = len(lengths), addresses
    told, where = array("d", map(float, numbers)), array("l", columns)
    failed = library.step(
        count,
        address(lengths),
        address(theta),
        address(grad),
        address(kept),
        len(kept) // count,
        address(where),
        address(told),
        threads(sum(lengths)),
    )
    if failed:
        raise MemoryError("no memory for the sums of a step")


def address(x: array[int] | array[float]) -> int:
    """Where an array lies; it has to outlive its use."""
    return x.buffer_info()[0]


def like(grad: Tensor, theta: Tensor) -> Tensor:
    """A gradient that lies in memory as its parameter does."""
    grad = grad.resolve_neg()
    if grad.stride() == theta.stride() or (grad.is_contiguous() and theta.is_contiguous()):
        return grad
    return torch.empty_like(theta).copy_(grad)


def threads(lanes: int) -> int:
    """How many threads are worth it, of those that torch may use.

    A forked process has one: OpenMP's others stay behind in the process that it comes from, and who
    waits for them waits for ever.
    """
    if _is_fork:
        return 1
    return max(1, min(torch.get_num_threads(), lanes // _GRAIN))


def _written(work: Work, kernel: Kernel) -> list[Tensor]:
    kept = (work.state.get(key) for key in kernel.states)
    return [work.theta, *(x for x in kept if x is not None)]


def _forked() -> None:
    global _is_fork
    _is_fork = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
