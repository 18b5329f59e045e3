"""What a schedule consists of: operations on lists of tensors, in order."""

from __future__ import annotations

from dataclasses import dataclass

from instep.spec import ir


@dataclass(frozen=True, slots=True)
class Equation:
    """The authored equations that the steps below compute."""

    sources: tuple[ir.Let, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """`result = function(operands, numbers)`; in place the first operand is overwritten."""

    function: str
    operands: tuple[str, ...]
    numbers: tuple[ir.Expr, ...]
    result: str
    in_place: bool


@dataclass(frozen=True, slots=True)
class Each:
    """`result = [value for ...]`: what has no operation on lists runs tensor by tensor.

    `like` is the loop's variable that has the parameter's dimensions and type.
    """

    result: str
    value: ir.Expr
    lists: tuple[tuple[str, str], ...]
    like: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the host."""

    result: str
    value: ir.Expr


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name for the same tensors, or a name for copies of them."""

    result: str
    operand: str
    copy: bool = False


@dataclass(frozen=True, slots=True)
class Store:
    """What a name holds becomes the state."""

    state: str
    name: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Two sequences, one of which runs."""

    condition: ir.Expr
    then: Steps
    otherwise: Steps


Step = Equation | Operation | Each | Number | Alias | Store | Choice
Steps = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Schedule:
    """All steps, and the name of the new parameter after them."""

    steps: Steps
    result: str
