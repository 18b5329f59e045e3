"""Adam that keeps its state, its steps and its parameters in unusual places."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from meta.correct.frame import AdamFrame, Group, State, apply, corrections, gradient, moments
from meta.correct.updates import average


class AttributeLists:
    """No torch.optim.Optimizer: one list for each state, no groups, no state_dict."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        self.params = list(params)
        self.lr, self.betas, self.eps = lr, betas, eps
        self.first = [torch.zeros_like(p) for p in self.params]
        self.second = [torch.zeros_like(p) for p in self.params]
        self.counts = [0 for _ in self.params]

    @torch.no_grad()
    def step(self) -> None:
        (b1, b2) = self.betas
        for k, p in enumerate(self.params):
            if p.grad is None:
                continue
            self.counts[k] += 1
            self.first[k] = self.first[k] * b1 + p.grad * (1 - b1)
            self.second[k] = self.second[k] * b2 + p.grad * p.grad * (1 - b2)
            m = self.first[k] / (1 - b1 ** self.counts[k])
            v = self.second[k] / (1 - b2 ** self.counts[k])
            p.sub_(m * (self.lr / (v.sqrt() + self.eps)))


@dataclass
class Memory:
    """What is remembered of one parameter."""

    average: Tensor
    spread: Tensor
    updates: float = 0.0


class DataclassesById:
    """No torch.optim.Optimizer: dataclasses in a dict by id(parameter); the count is a float."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        params = list(params)
        own = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        entries = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.param_groups = [{**own, "maximize": False, **g} for g in entries]
        self.memories: dict[int, Memory] = {}

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for p in [p for p in group["params"] if p.grad is not None]:
                if id(p) not in self.memories:
                    self.memories[id(p)] = Memory(torch.zeros_like(p), torch.zeros_like(p))
                self._move(p, self.memories[id(p)], group)

    def _move(self, p: Tensor, memory: Memory, group: Group) -> None:
        memory.updates += 1
        (beta1, beta2), g = group["betas"], gradient(p, group)
        memory.average.sub_(memory.average - g, alpha=1 - beta1)
        memory.spread.sub_(memory.spread - g.square(), alpha=1 - beta2)
        c1, c2 = 1 - beta1**memory.updates, 1 - beta2**memory.updates
        p.sub_(memory.average / c1 / (memory.spread.div(c2).sqrt() + group["eps"]) * group["lr"])


class FlatBuffer:
    """All parameters in one vector, hyperparameters expanded lane by lane."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        params = list(params)
        own = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        entries = params if isinstance(params[0], dict) else [{"params": params}]
        self.param_groups = [{**own, "maximize": maximize, **g} for g in entries]
        self.leaves = [(p, g) for g in self.param_groups for p in g["params"]]
        if len({p.dtype for p, _ in self.leaves}) > 1:
            raise TypeError("one vector has one type")
        sizes = [p.numel() for p, _ in self.leaves]
        self.buffers = torch.zeros(2, sum(sizes), dtype=self.leaves[0][0].dtype)
        self.ends = torch.tensor(sizes).cumsum(0).tolist()
        self.counts = [0] * len(self.leaves)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None if closure is None else closure()
        with torch.no_grad():
            present = [k for k, (p, _) in enumerate(self.leaves) if p.grad is not None]
            for k in present:
                self.counts[k] += 1
            if present:
                self._move(present)
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Everything that is kept."""
        return {"buffers": self.buffers.clone(), "counts": list(self.counts)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The inverse."""
        self.buffers, self.counts = state["buffers"].clone(), list(state["counts"])

    def _move(self, present: list[int]) -> None:
        lanes = torch.cat([torch.arange(*self._span(k)) for k in present])
        chosen = [self.leaves[k] for k in present]
        p = torch.cat([x.reshape(-1) for x, _ in chosen])
        g = torch.cat([gradient(x, group).reshape(-1) for x, group in chosen])
        rate = self._expand(present, lambda t, h: h["lr"] / (1 - h["betas"][0] ** t))
        m = torch.lerp(g, self.buffers[0, lanes], self._expand(present, lambda t, h: h["betas"][0]))
        old = self.buffers[1, lanes] * self._expand(present, lambda t, h: h["betas"][1])
        v = old + g * g * self._expand(present, lambda t, h: 1 - h["betas"][1])
        self.buffers[0, lanes], self.buffers[1, lanes] = m, v
        c2 = self._expand(present, lambda t, h: 1 - h["betas"][1] ** t)
        p -= rate * m / ((v / c2).sqrt() + self._expand(present, lambda t, h: h["eps"]))
        for (x, _), part in zip(chosen, p.split([x.numel() for x, _ in chosen]), strict=True):
            x.copy_(part.reshape(x.shape))

    def _span(self, k: int) -> tuple[int, int]:
        return (self.ends[k - 1] if k else 0), self.ends[k]

    def _expand(self, present: list[int], value: Callable[[int, Group], float]) -> Tensor:
        """A number for each parameter, repeated over its lanes."""
        numbers = [value(self.counts[k], self.leaves[k][1]) for k in present]
        sizes = torch.tensor([self.leaves[k][0].numel() for k in present])
        return torch.tensor(numbers, dtype=self.buffers.dtype).repeat_interleave(sizes)


class Kept(NamedTuple):
    """The state of the functional form."""

    m: Tensor
    v: Tensor
    t: int


def adam(p: Tensor, g: Tensor, kept: Kept, h: Mapping[str, Any]) -> tuple[Tensor, Kept]:
    """Adam as a pure function."""
    (b1, b2), t = h["betas"], kept.t + 1
    m = (1 - b1) * g + b1 * kept.m
    v = (1 - b2) * g.square() + b2 * kept.v
    update = m * (v.sqrt() / (1 - b2**t) ** 0.5 + h["eps"]).reciprocal()
    return p - h["lr"] / (1 - b1**t) * update, Kept(m, v, t)


class Functional:
    """A wrapper around the pure function, without groups; its state is a list of tuples."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        self.params = list(params)
        self.settings = {"lr": lr, "betas": betas, "eps": eps}
        self.state = [Kept(torch.zeros_like(p), torch.zeros_like(p), 0) for p in self.params]

    @torch.no_grad()
    def step(self) -> None:
        for k, p in enumerate(self.params):
            if p.grad is not None:
                new, self.state[k] = adam(p, p.grad, self.state[k], self.settings)
                p.copy_(new)


class OptimizerPerParameter:
    """One small optimizer for each parameter, as where the step is a hook of the backward pass."""

    def __init__(self, params: Any, **keywords: Any) -> None:
        self.optimizers = {p: StepTensor([p], **keywords) for p in params}

    def step(self) -> None:
        for optimizer in self.optimizers.values():
            optimizer.step()


class StepTensor(AdamFrame):
    """The count is a tensor of int64, so the corrections are float32 tensors.

    Under any other name than `step` torch would load it in the parameter's type.
    """

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        if not state:
            state.update(step=torch.tensor(0), m=torch.zeros_like(p), v=torch.zeros_like(p))
        state["step"] += 1
        average(state["m"], state["v"], g, group)
        c1, c2 = (1 - torch.as_tensor(b) ** state["step"] for b in group["betas"])
        p -= group["lr"] * (state["m"] / c1) / ((state["v"] / c2).sqrt() + group["eps"])


class CountPerLane(AdamFrame):
    """Every lane counts its own steps, in float32 at least: 0.999 is 1 in bfloat16."""

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, _ = moments(p, state)
        wide = torch.promote_types(p.dtype, torch.float32)
        n = state.setdefault("n", torch.zeros_like(p))
        n += 1
        average(m, v, g, group)
        c1, c2 = (1 - torch.pow(beta, n.to(wide)) for beta in group["betas"])
        p -= group["lr"] * m / (c1 * ((v / c2).sqrt() + group["eps"]))


class Backwards(AdamFrame):
    """Parameters from the last to the first, all state made in the constructor."""

    def __init__(self, params: Any, **keywords: Any) -> None:
        super().__init__(params, **keywords)
        for group in self.param_groups:
            group["params"].reverse()

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        m, v, t = moments(p, state)
        average(m, v, g, group)
        apply(p, m, v, t, group)


class EarlyState(AdamFrame):
    """All state is made with the groups, in one tensor for each parameter."""

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        super().add_param_group(param_group)
        for p in self.param_groups[-1]["params"]:
            self.state[p] = {
                "both": torch.zeros(2, *p.shape, dtype=p.dtype, device=p.device),
                "calls": 0,
            }

    def move(self, p: Tensor, g: Tensor, state: State, group: Group) -> None:
        state["calls"] += 1
        both, (b1, b2) = state["both"], group["betas"]
        kept = torch.tensor([b1, b2], dtype=p.dtype).reshape(2, *[1] * p.dim())
        new = torch.stack([(1 - b1) * g, (1 - b2) * g * g])
        both.mul_(kept).add_(new)
        c1, c2 = corrections(state["calls"], group)
        root = both[1].sqrt() / c2**0.5 + group["eps"]
        p -= (both[0] / root) * (group["lr"] / c1)


class OtherNames(AdamFrame):
    """The names of other libraries, each beta on its own."""

    def __init__(
        self,
        params: Any,
        learning_rate: float = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay_rate: float = 0.0,
    ) -> None:
        own = {"learning_rate": learning_rate, "beta1": beta1, "beta2": beta2}
        more = {"epsilon": epsilon, "weight_decay_rate": weight_decay_rate}
        torch.optim.Optimizer.__init__(self, params, {**own, **more})

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Its groups have other names, so it has a loop of its own."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        with torch.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        self._one(p, self.state[p], group)
        return loss

    def _one(self, p: Tensor, state: State, h: Group) -> None:
        g = p.grad + h["weight_decay_rate"] * p if h["weight_decay_rate"] else p.grad
        m, v, t = moments(p, state)
        m += (g - m) * (1 - h["beta1"])
        v += (g.square() - v) * (1 - h["beta2"])
        c1, c2 = corrections(t, {"betas": (h["beta1"], h["beta2"])})
        p -= h["learning_rate"] / c1 * (m / ((v / c2).sqrt() + h["epsilon"]))


class Foreach(AdamFrame):
    """Lists of tensors at a time."""

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        with torch.no_grad():
            for group in self.param_groups:
                present = [p for p in group["params"] if p.grad is not None]
                if present:
                    self._all(present, group)
        return loss

    def _all(self, ps: list[Tensor], group: Group) -> None:
        (b1, b2), kept = group["betas"], [moments(p, self.state[p]) for p in ps]
        ms, vs, ts = [k[0] for k in kept], [k[1] for k in kept], [k[2] for k in kept]
        gs = [gradient(p, group) for p in ps]
        torch._foreach_lerp_(ms, gs, 1 - b1)
        torch._foreach_mul_(vs, b2)
        torch._foreach_addcmul_(vs, gs, gs, 1 - b2)
        roots = torch._foreach_div(torch._foreach_sqrt(vs), [(1 - b2**t) ** 0.5 for t in ts])
        torch._foreach_add_(roots, group["eps"])
        torch._foreach_addcdiv_(ps, ms, roots, [-group["lr"] / (1 - b1**t) for t in ts])
