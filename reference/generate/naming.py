"""Names in generated code: the paper's, with an underscore where the generator needs its own."""

from __future__ import annotations

from instep.reference.generate.frame import Frame
from instep.spec import ir


class Naming:
    """Spells previous values, options and equations of one class."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        algorithm = frame.algorithm
        self.symbols = {h.name for h in algorithm.hyperparameters} | {ir.THETA}
        self.symbols |= {s.name for s in algorithm.states} | ir.assigned(algorithm.body)
        if algorithm.counter is not None:
            self.symbols.add(algorithm.counter.name)

    def previous(self, name: str) -> str:
        """Value of a symbol when the step began: `m_prev`."""
        return self._own(f"{name}_prev")

    def option(self, key: str) -> str:
        """A constructor's option inside the step: its own name unless the paper uses it."""
        return self._own(key)

    def _own(self, name: str) -> str:
        return f"_{name}" if name in self.symbols else name

    def equation(self, let: ir.Let) -> str:
        """How the equation is cited: `adamw.update`, or `adam.denominator@hat` for a form."""
        return self.cite(let.equation) + (f"@{let.form}" if let.form else "")

    def cite(self, equation: str) -> str:
        """An equation by its name alone."""
        return f"{self.frame.algorithm.name}.{equation}"
