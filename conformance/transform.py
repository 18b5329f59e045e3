"""A function that changes gradients, in the shape of an optimizer, so that one engine judges both.

What `clip_grad_norm_(parameters, max_norm)` computes is a gradient. A step here calls the function
and puts every new gradient where the parameter was: exactly, so the bounds are the function's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch


class GradientTransform:
    """Calls a function on parameters with gradients; a step leaves the new gradients in them.

    Attributes:
        returned: what the function gave back in the last step.
        untouched: whether it left the parameters themselves as they were, in every step.
    """

    def __init__(
        self, function: Callable[..., Any], parameters: Iterable[torch.Tensor], **keywords: Any
    ) -> None:
        self._function, self._keywords = function, keywords
        self._parameters = list(parameters)
        self.returned: Any = None
        self.untouched = True

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One call of the function; the closure's loss, if there is a closure."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        before = [p.detach().clone() for p in self._parameters]
        self.returned = self._function(self._parameters, **self._keywords)
        same = map(torch.equal, before, (p.detach() for p in self._parameters))
        self.untouched = self.untouched and all(same)
        with torch.no_grad():
            for p in self._parameters:
                if p.grad is not None:
                    p.copy_(p.grad)
        return loss
