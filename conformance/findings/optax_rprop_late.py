"""optax.rprop applies the update of the step before: its first step moves nothing.

Package: optax 0.2.8.
Found by: rprop/numerics/trajectory, equation rprop.update, step 1.
Requirement: the parameter moves by the step size against the sign of its gradient, in every step
    (the documentation of scale_by_rprop; Riedmiller and Braun; torch.optim.Rprop).
Observed: 0, then the first step's -0.1 in the second: `updates` are made of `state.prev_updates`
    instead of those of this step.
"""

import jax.numpy as jnp
import optax

transformation = optax.rprop(0.1)
state = transformation.init(jnp.zeros(1))
first, state = transformation.update(jnp.ones(1), state)
second, state = transformation.update(jnp.ones(1), state)
moved = [float(first[0]), float(second[0])]
assert abs(moved[0] + 0.1) < 1e-6, f"steps of lr = 0.1 on gradients of 1 moved it by {moved}"
