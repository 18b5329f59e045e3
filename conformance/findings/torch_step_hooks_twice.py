"""torch.optim: hooks of a step are called twice once the base class was used by itself.

Package: torch 2.13.0.
Found by: sgd/hooks/step, which takes two calls for one and says so.
Requirement: a hook is called before each step, once; how often does not depend on what other
    optimizers the process has made.
Observed: the constructor wraps `step` of the class, for all its objects. A subclass whose step
    calls super().step() runs through two wrappers as soon as anybody has constructed the base
    class, and through one until then.
"""

from typing import Any

import torch


class Base(torch.optim.SGD):
    """A step of its own, which nobody has wrapped yet."""

    def step(self, closure: Any = None) -> Any:
        """As torch's."""
        return super().step(closure)


class Derived(Base):
    """A step that calls the one above."""

    def step(self, closure: Any = None) -> Any:
        """As above."""
        return super().step(closure)


def calls() -> int:
    """How often one step of Derived calls a hook."""
    seen: list[int] = []
    optimizer = Derived([torch.nn.Parameter(torch.ones(1))], lr=0.5)
    optimizer.register_step_pre_hook(lambda *given: seen.append(1))
    optimizer.step()
    return len(seen)


before = calls()
Base([torch.nn.Parameter(torch.ones(1))], lr=0.5)
after = calls()
assert before == after, f"called {before} times, then {after}: Base was constructed in between"
