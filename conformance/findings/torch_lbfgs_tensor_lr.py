"""torch.optim.LBFGS keeps the learning rate itself as the length of its last step.

Package: torch 2.13.0.
Found by: lbfgs/modes/lr-tensor.
Requirement: a learning rate that is a tensor does what the number does, also when it is changed in
    place, as every scheduler of torch changes a tensor.
Observed: state["t"] is the tensor in the group, so that the change reaches back: the step that was
    made with the old rate enters the approximation of the curvature with the new one.
"""

from typing import Any

import torch

slopes = torch.tensor([1.0, 5.0, 10.0])


def end(rate: Any) -> torch.Tensor:
    """Where three steps lead in a bowl of fourth degree, the last one at a tenth of the rate."""
    p = torch.nn.Parameter(torch.tensor([1.0, 2.0, -1.0]))
    optimizer: Any = torch.optim.LBFGS([p], lr=rate, max_iter=2)

    def closure() -> Any:
        optimizer.zero_grad()
        loss: Any = (slopes * p**2 + p**4).sum()
        loss.backward()
        return loss

    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2)
    for _ in range(3):
        optimizer.step(closure)
        scheduler.step()
    return p.detach()


number, tensor = end(0.5), end(torch.tensor(0.5))
away = (number - tensor).abs().max().item()
assert away < 1e-6, f"{number.tolist()} with a number, {tensor.tolist()} with a tensor"
