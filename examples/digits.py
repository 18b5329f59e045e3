"""Train a small network on scikit-learn's digits, with torch's optimizers and with generated ones.

    python examples/digits.py
    python examples/digits.py --steps 200 --plot digits.png     # needs matplotlib

The training is an ordinary one in float32: two layers, mini-batches, weight decay on weights and
none on biases (parameter groups), gradients clipped to norm 1, the learning rate halved every 20
steps (StepLR). It runs three times for each algorithm: with torch's class, with the generated
drop-in for it (the same operations in the same order, so often the same numbers), and with the
generated eager reference, which computes the equations as they are written and rounds elsewhere.

What is compared, and what the comparison is worth:

Every step of every training is judged on its own. From the parameters, the state and the clipped
gradients that it really had, the specification says where each parameter must go, and how far a
correct implementation may be off by rounding: the bound E. It is computed from the equations and
from the precision, lane by lane, not chosen; a step is right while nothing is further off than 2 E.
That is rigorous, and it is what a wrong optimizer cannot pass. The learning rate and the decay come
from the recipe below and not from the optimizer's groups, so one that ignores its groups fails too.

The losses of two correct trainings drift apart nevertheless: what the first steps round away the
later ones amplify. No useful bound for that can be computed, since it would have to hold for the
worst case in every layer and every step. So it is measured. Two trainings follow the specification
itself, but after every step each parameter is moved by all of its bound, in one of them in the
direction in which the gradient says that the loss rises, in one in which it falls; states are moved
by a random part of theirs. The range of these losses shows how far rounding can drive such a
training, and correct optimizers stay within the largest range so far. (Independent random shifts
alone would be too kind a yardstick: rounding 1 - lr * decay errs in the same direction on every
lane and in every step.) The yardstick is greedy and of first order, a measurement and no theorem;
that each step is right does not depend on it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_digits
from torch import Tensor, nn

from instep import reference, spec
from instep.conformance.bounds import BoundedArithmetic
from instep.conformance.profile import grades
from instep.conformance.verdict import IN_STEP
from instep.reference import eager, vectorized
from instep.spec.interpret import Interpreter

DECAY, CLIP, HALVE_EVERY, BATCH = 1e-2, 1.0, 20, 128
# Trainings of the yardstick: (uphill or downhill, seed).
PUSHES = ((1, 0), (-1, 1))


@dataclass(frozen=True)
class Task:
    """One algorithm: its class's name, the dialect that it follows, and its hyperparameters."""

    name: str
    dialect: str
    lr: float
    more: dict[str, float] = field(default_factory=dict)

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0: StepLR's closed form."""
        return self.lr * 0.5 ** (step // HALVE_EVERY)


TASKS = (
    Task("SGD", "sgd/torch", 0.1, {"momentum": 0.9}),
    Task("Adam", "adam/paper", 0.01),
    Task("AdamW", "adamw/torch", 0.01),
    Task("RMSprop", "rmsprop/torch", 0.003),
)


@dataclass
class Data:
    """Digits between 0 and 1, and the mini-batches of a training."""

    train: Tensor
    labels: Tensor
    test: Tensor
    test_labels: Tensor
    batches: list[Tensor]

    @classmethod
    def load(cls, steps: int) -> Data:
        """A fifth is kept for the accuracy; the split and the batches are the same every time."""
        images, labels = load_digits(return_X_y=True)
        random = torch.Generator().manual_seed(0)
        order = torch.randperm(len(labels), generator=random)
        x = torch.tensor(images / 16, dtype=torch.float32)[order]
        y = torch.tensor(labels)[order]
        kept = len(y) // 5
        count = len(y) - kept
        batches = [torch.randint(count, (BATCH,), generator=random) for _ in range(steps)]
        return cls(x[kept:], y[kept:], x[:kept], y[:kept], batches)


def network() -> nn.Sequential:
    """The model, from the same start every time."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def groups(model: nn.Module) -> list[dict[str, Any]]:
    """Weights decay, biases do not."""
    weights = [p for p in model.parameters() if p.dim() > 1]
    biases = [p for p in model.parameters() if p.dim() == 1]
    return [{"params": weights, "weight_decay": DECAY}, {"params": biases, "weight_decay": 0.0}]


class Oracle:
    """The specification in arithmetic that carries a bound for every number."""

    def __init__(self, task: Task, model: nn.Module) -> None:
        self.task, self.algorithm = task, spec.get(task.dialect)
        self.parameters = [p for group in groups(model) for p in group["params"]]
        decays = [group["weight_decay"] for group in groups(model) for _ in group["params"]]
        self.runner = Interpreter(
            self.algorithm,
            BoundedArithmetic(grades("float32")[0]),
            [_array(p) for p in self.parameters],
            hyperparameters={self._symbol(k): v for k, v in task.more.items()},
            groups=[([i], {self._symbol("weight_decay"): v}) for i, v in enumerate(decays)],
        )

    def _symbol(self, key: str) -> str:
        return next(h.name for h in self.algorithm.hyperparameters if h.key == key)

    def place(self, optimizer: torch.optim.Optimizer) -> None:
        """Start the next step where an optimizer is: from its parameters and its state."""
        for slot, p in zip(self.runner.slots, self.parameters, strict=True):
            slot.theta = self.runner.arithmetic.tensor(_array(p))
            kept = optimizer.state.get(p, {})
            for state in self.algorithm.states:
                if isinstance(kept.get(state.key), Tensor):
                    value = self.runner.arithmetic.tensor(_array(kept[state.key]))
                    slot.state[state.name] = value

    def step(self, number: int) -> None:
        """One step with the gradients that the parameters have now."""
        self.runner.set({"lr": self.task.rate(number)})
        self.runner.step([_array(p.grad) for p in self.parameters])

    def off(self) -> float:
        """How many bounds the parameters are away from where the step had to lead."""
        worst = 0.0
        for slot, p in zip(self.runner.slots, self.parameters, strict=True):
            away = np.abs(_array(p) - slot.theta.value)
            bounds = np.where(slot.theta.bound > 0, slot.theta.bound, np.finfo(float).tiny)
            ratios = np.where(away == 0, 0.0, away / bounds)
            worst = max(worst, float(np.max(np.nan_to_num(ratios, nan=np.inf))))
        return worst

    def push(self, uphill: int, random: np.random.Generator) -> None:
        """Move parameters by their bounds and states by random parts of theirs, all in float32."""
        for slot, p in zip(self.runner.slots, self.parameters, strict=True):
            slot.theta = self._moved(slot.theta, uphill * np.sign(_array(p.grad)))
            for name, value in slot.state.items():
                slot.state[name] = self._moved(value, random.uniform(-1, 1, np.shape(value.value)))
            with torch.no_grad():
                p.copy_(torch.tensor(slot.theta.value))

    def _moved(self, x: Any, share: Any) -> Any:
        value = np.asarray(x.value + share * x.bound, dtype=np.float32)
        return self.runner.arithmetic.tensor(value)


def _array(x: Tensor | None) -> Any:
    assert x is not None
    return x.detach().double().numpy()


@dataclass
class Training:
    """What a training showed: the loss over all data after every step, and its worst step."""

    losses: list[float] = field(default_factory=list)
    worst: float = 0.0
    accuracy: float = 0.0

    def note(self, model: nn.Sequential, data: Data) -> None:
        """Evaluate the loss, in float64, so that its own rounding does not count."""
        values = {name: p.detach().double() for name, p in model.named_parameters()}
        out = torch.func.functional_call(model, values, (data.train.double(),))
        self.losses.append(float(nn.functional.cross_entropy(out, data.labels)))


def backward(model: nn.Sequential, data: Data, step: int) -> None:
    """Gradients of one mini-batch, clipped."""
    model.zero_grad()
    chosen = data.batches[step]
    loss = nn.functional.cross_entropy(model(data.train[chosen]), data.labels[chosen])
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), CLIP)


def train(make: Callable[..., torch.optim.Optimizer], task: Task, data: Data) -> Training:
    """An ordinary training, each step of which is judged."""
    model, result = network(), Training()
    optimizer = make(groups(model), lr=task.lr, **task.more)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, HALVE_EVERY, gamma=0.5)
    oracle = Oracle(task, model)
    for step in range(len(data.batches)):
        backward(model, data, step)
        oracle.place(optimizer)
        oracle.step(step)
        optimizer.step()
        result.worst = max(result.worst, oracle.off())
        scheduler.step()
        result.note(model, data)
    right = model(data.test).argmax(1) == data.test_labels
    result.accuracy = float(right.float().mean())
    return result


def pushed(task: Task, data: Data, uphill: int, seed: int) -> Training:
    """The same training by the specification, off by the whole bound in every step."""
    model, result = network(), Training()
    oracle, random = Oracle(task, model), np.random.default_rng(seed)
    for step in range(len(data.batches)):
        backward(model, data, step)
        oracle.step(step)
        oracle.push(uphill, random)
        result.note(model, data)
    return result


@dataclass
class Comparison:
    """All trainings of one algorithm, and the yardstick for their losses."""

    task: Task
    theirs: Training
    vectorized: Training
    eager: Training
    yardstick: list[float]

    @property
    def all(self) -> tuple[Training, Training, Training]:
        """The trainings that are judged."""
        return self.theirs, self.vectorized, self.eager

    @property
    def differences(self) -> list[float]:
        """How far the losses are apart after each step."""
        losses = np.array([training.losses for training in self.all])
        return [float(x) for x in np.ptp(losses, axis=0)]

    @property
    def share(self) -> float:
        """The largest difference as a share of the yardstick at its step."""
        differences = np.nan_to_num(self.differences, nan=np.inf)
        yardstick = np.maximum(self.yardstick, np.finfo(float).tiny)
        return float(np.max(differences / yardstick))

    @property
    def in_step(self) -> bool:
        """Whether every step of all is right, and the losses agree step by step."""
        return all(t.worst <= IN_STEP for t in self.all) and self.share <= 1


def compare(task: Task, data: Data) -> Comparison:
    """Train with all three classes, and for the yardstick by the specification."""
    samples = np.array([pushed(task, data, *how).losses for how in PUSHES])
    yardstick = np.maximum.accumulate(np.ptp(samples, axis=0)).tolist()
    packages = torch.optim, reference, eager
    trainings = [train(getattr(package, task.name), task, data) for package in packages]
    return Comparison(task, *trainings, yardstick)


def table(comparisons: Sequence[Comparison]) -> Table:
    """The figures, an algorithm a row."""
    out = Table(title="torch.optim beside instep.reference, on digits")
    out.add_column("algorithm")
    for head in (
        "worst step, in bounds (2 allowed):\ntorch / vectorized / eager",
        "largest difference\nof the losses",
        "its share of the\nyardstick (1 allowed)",
        "last loss",
        "accuracy",
        "verdict",
    ):
        out.add_column(head, justify="right")
    for c in comparisons:
        steps = " / ".join(f"{t.worst:.2f}" for t in c.all)
        figures = steps, f"{max(c.differences):.1e}", f"{c.share:.2f}"
        end = f"{c.vectorized.losses[-1]:.4f}", f"{c.vectorized.accuracy:.1%}"
        verdict = "[green]in step[/]" if c.in_step else "[red]out of step[/]"
        out.add_row(c.task.name, *figures, *end, verdict)
    return out


def plot(comparisons: Sequence[Comparison], path: str) -> None:
    """Losses, and their differences beside the yardsticks."""
    import matplotlib.pyplot as plt  # an extra of this example, asked for by --plot alone

    figure, (above, below) = plt.subplots(2, sharex=True, figsize=(8, 8))
    for c in comparisons:
        (line,) = above.plot(c.eager.losses, label=c.task.name)
        above.plot(c.theirs.losses, color=line.get_color(), linestyle=":")
        below.semilogy(c.differences, color=line.get_color(), label=c.task.name)
        below.semilogy(c.yardstick, color=line.get_color(), linestyle="--")
    above.set_ylabel("loss (eager; torch's dotted)")
    below.set_ylabel("difference (yardstick dashed)")
    below.set_xlabel("step")
    above.legend()
    figure.savefig(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, print, and return 0 if all is in step, else 1."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="algorithms, by class name")
    parser.add_argument("--plot", metavar="FILE", help="draw losses and differences")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    data = Data.load(chosen.steps)
    tasks = [t for t in TASKS if t.name in vectorized.__all__]
    tasks = [t for t in tasks if chosen.only is None or t.name in chosen.only]
    comparisons = [compare(task, data) for task in tasks]
    Console(width=120).print(table(comparisons))
    if chosen.plot:
        plot(comparisons, chosen.plot)
    return 0 if comparisons and all(c.in_step for c in comparisons) else 1


if __name__ == "__main__":
    sys.exit(main())
