"""Clipping of every entry of a gradient."""

from __future__ import annotations

from instep.spec.author import *

with algorithm("clip-grad-value", "Gradient clipping by value") as spec:
    limit = hyper("clip_value", 1.0, domain="[0,inf)", latex="c", probe=3 / 4,
                  aliases=("max_value", "clip", "max_delta"),
                  description="largest size of an entry")
    base = inner("base")
    g = local("clipped", r"\hat g")

    let("clipped", g, minimum(maximum(grad(theta), -limit), limit))
    apply(base, gradient=g)

    reference("Goodfellow, Bengio and Courville, Deep learning, MIT Press 2016, section 10.11.1",
              "https://www.deeplearningbook.org/contents/rnn.html")

    dialect("clip-grad-value/torch", "torch.nn.utils.clip_grad_value_", export="ClipGradValue",
            note="Each entry by itself, so that the direction changes.")
