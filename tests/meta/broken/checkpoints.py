"""Optimizers that are right until they are saved and loaded."""

from __future__ import annotations

import copy
from collections import defaultdict
from typing import Any

import torch
from torch import Tensor

from meta.broken.behaviour import PlainAdam
from meta.correct.frame import Group, State, apply
from meta.correct.updates import average


class EmptiesTheDict(PlainAdam):
    """What it loads it takes out of the dict, and the second to load it finds nothing."""

    def load_state_dict(self, state_dict: Any) -> None:
        super().load_state_dict({**state_dict, "state": dict(state_dict["state"])})
        state_dict["state"].clear()


class SavesByPosition(PlainAdam):
    """State is numbered as it comes: where a parameter has none, that of the next is its own."""

    def state_dict(self) -> Any:
        saved = super().state_dict()
        return {**saved, "state": dict(enumerate(saved["state"].values()))}


class CountsInPlace(PlainAdam):
    """The count is a tensor, and stays the number that a checkpoint of earlier releases has."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if not state:
            step = torch.zeros((), dtype=torch.int64)
            state.update(step=step, m=torch.zeros_like(p), v=torch.zeros_like(p))
        state["step"].add_(1)
        average(state["m"], state["v"], g, group)
        apply(p, state["m"], state["v"], int(state["step"]), group)


class Note:
    """An object of the library's own."""


class ObjectInState(PlainAdam):
    """No file that holds it is read without executing what it says."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        super().move(p, g, state, group)
        state.setdefault("note", Note())


class ValuesOfConstruction(PlainAdam):
    """A checkpoint's moments are loaded; the groups are as they were constructed."""

    def load_state_dict(self, state_dict: Any) -> None:
        own = [{k: v for k, v in g.items() if k != "params"} for g in self.param_groups]
        super().load_state_dict(state_dict)
        for group, values in zip(self.param_groups, own, strict=True):
            group.update(values)


class LoadsAsSaved(PlainAdam):
    """State stays in the type of the parameters of another model."""

    def load_state_dict(self, state_dict: Any) -> None:
        super().load_state_dict(state_dict)
        parameters = [p for g in self.param_groups for p in g["params"]]
        for i, kept in state_dict["state"].items():
            self.state[parameters[i]] = copy.deepcopy(kept)


class LoadsOnTheHost(PlainAdam):
    """State has the type of the parameters, and not their device."""

    def load_state_dict(self, state_dict: Any) -> None:
        super().load_state_dict(state_dict)
        parameters = [p for g in self.param_groups for p in g["params"]]
        for i, kept in state_dict["state"].items():
            own = {k: kept[k].to(parameters[i].dtype, copy=True) for k in ("m", "v")}
            self.state[parameters[i]].update(own)


class KeepsOnTheHost(PlainAdam):
    """A mask that a parameter without memory has all the same."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        super().move(p, g, state, group)
        state.setdefault("mask", torch.ones(p.shape))


class LoadsInSingle(PlainAdam):
    """Whatever the type of the parameters is, state is loaded in float32."""

    def load_state_dict(self, state_dict: Any) -> None:
        super().load_state_dict(state_dict)
        for kept in self.state.values():
            kept.update(m=kept["m"].float(), v=kept["v"].float())


class MomentsInSingle(PlainAdam):
    """float32 moments for narrow parameters, which torch loads in the parameters' type."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if p.dtype not in (torch.bfloat16, torch.float16):
            super().move(p, g, state, group)
            return
        if not state:
            state.update(step=0, m=torch.zeros_like(p).float(), v=torch.zeros_like(p).float())
        state["step"] += 1
        average(state["m"], state["v"], g.to(state["m"].dtype), group)
        wide = p.float()
        apply(wide, state["m"], state["v"], state["step"], group)
        p.copy_(wide)


class SavesByItself(PlainAdam):
    """It packs what it saves by hand, and nobody who asked to be called is."""

    def state_dict(self) -> Any:
        parameters = [p for g in self.param_groups for p in g["params"]]
        number = {p: i for i, p in enumerate(parameters)}
        groups = [{**g, "params": [number[p] for p in g["params"]]} for g in self.param_groups]
        return {"state": {number[p]: s for p, s in self.state.items()}, "param_groups": groups}


class LoadsByItself(PlainAdam):
    """It unpacks what was saved by hand, and nobody who asked to be called is."""

    def load_state_dict(self, state_dict: Any) -> None:
        parameters = [p for g in self.param_groups for p in g["params"]]
        self.state = defaultdict(dict)
        for i, kept in state_dict["state"].items():
            self.state[parameters[i]] = copy.deepcopy(kept)
        for group, saved in zip(self.param_groups, state_dict["param_groups"], strict=True):
            group.update({k: v for k, v in saved.items() if k != "params"})


class StateBeside(PlainAdam):
    """State in a mapping of its own, saved and loaded rightly; whoever reads `state` is misled."""

    def __init__(self, params: Any, *arguments: Any, **keywords: Any) -> None:
        super().__init__(params, *arguments, **keywords)
        self.beside: dict[Tensor, State] = {}

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        super().move(p, g, self.beside.setdefault(p, {}), group)

    def state_dict(self) -> Any:
        parameters = [p for g in self.param_groups for p in g["params"]]
        kept = {i: self.beside[p] for i, p in enumerate(parameters) if p in self.beside}
        return {**super().state_dict(), "beside": kept}

    def load_state_dict(self, state_dict: Any) -> None:
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "beside"})
        parameters = [p for g in self.param_groups for p in g["params"]]
        kept = copy.deepcopy(state_dict["beside"])
        self.beside = {parameters[i]: state for i, state in kept.items()}
