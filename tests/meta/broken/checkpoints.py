"""Optimizers that are right until they are saved, loaded or copied."""

from __future__ import annotations

from typing import Any

from meta.broken.behaviour import PlainAdam


class EmptiesTheDict(PlainAdam):
    """What it loads it takes out of the dict, and the second to load it finds nothing."""

    def load_state_dict(self, state_dict: Any) -> None:
        super().load_state_dict({**state_dict, "state": dict(state_dict["state"])})
        state_dict["state"].clear()
