"""Runs whose tensors differ from those of their probe in type or in how they lie in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from instep.conformance.probes import Probe
from instep.conformance.subject import Run, Subject

Arrange = Callable[[torch.Tensor], torch.Tensor]


class Arranged(Run):
    """Each parameter, and its gradient in every other step, has a layout of its own.

    Args:
        arrange: a function per parameter, from a contiguous tensor to one of the same values.
    """

    def __init__(self, subject: Subject, probe: Probe, arrange: Sequence[Arrange]) -> None:
        self.arrange = arrange
        super().__init__(subject, probe)

    def tensors(self) -> list[torch.Tensor]:
        """Leaves that lie in memory as arranged."""
        plain = super().tensors()
        return [
            torch.nn.Parameter(lie(p.detach()), requires_grad=p.requires_grad)
            for lie, p in zip(self.arrange, plain, strict=True)
        ]

    def gradients(self, t: int) -> list[torch.Tensor | None]:
        """Gradients arranged as the parameters are in even steps, contiguous ones in odd steps."""
        plain = super().gradients(t)
        if t % 2:
            return plain
        pairs = zip(self.arrange, plain, strict=True)
        return [None if g is None else lie(g) for lie, g in pairs]


class Typed(Run):
    """Each parameter has a type of its own.

    Args:
        types: their names.
    """

    def __init__(self, subject: Subject, probe: Probe, types: Sequence[str]) -> None:
        self.types = [getattr(torch, name) for name in types]
        super().__init__(subject, probe)

    def tensors(self) -> list[torch.Tensor]:
        """Leaves of these types."""
        pairs = zip(self.types, super().tensors(), strict=True)
        return [
            torch.nn.Parameter(p.detach().to(kind), requires_grad=p.requires_grad)
            for kind, p in pairs
        ]

    def gradients(self, t: int) -> list[torch.Tensor | None]:
        """Gradients of the parameters' types."""
        pairs = zip(self.types, super().gradients(t), strict=True)
        return [None if g is None else g.to(kind) for kind, g in pairs]
