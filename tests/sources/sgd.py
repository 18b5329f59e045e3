"""SGD with its momenta: torch's, and hand-written forms from the papers."""

from __future__ import annotations

from meta.correct import sgd
from sources import Source

UNTOUCHED = {"gradients/untouched": "adds the weight decay to p.grad itself"}
SOURCES = (
    Source("sgd/torch", "torch.optim:SGD"),
    Source("sgd/torch", "optimi:SGD", defects=UNTOUCHED),
    Source("sgd/torch", sgd.Velocity, paper="Sutskever et al. 2013, equations 1 and 2"),
    Source("nesterov/torch", "torch.optim:SGD", keywords={"nesterov": True}),
    Source("nesterov/paper", sgd.LookAhead, paper="Sutskever et al. 2013, equations 3 and 4"),
    Source("sgd/classical", sgd.RateInside, paper="Polyak 1964, equation 9"),
    Source("sgd/ema", sgd.AverageByLerp, paper="exponential moving average of gradients"),
)
