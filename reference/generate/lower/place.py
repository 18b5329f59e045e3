"""Where values are while a schedule runs: the Python name and the tensors behind every version."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain, count

from instep.spec import ir
from instep.spec.rewriting import rewrite

TEMPORARY, FOREIGN = "", "foreign"


@dataclass(frozen=True, slots=True)
class Storage:
    """Tensors behind one or more names: a state's, a temporary's, or foreign (the gradient)."""

    number: int
    owner: str

    def writable_for(self, stores: str) -> bool:
        """Whether the new value of a state may overwrite these tensors; `` is no state."""
        return self.owner in (TEMPORARY, stores)


@dataclass
class Place:
    """The Python name and the storage of every version; `kept` is where a state's value is."""

    variables: dict[str, str] = field(default_factory=dict)
    storages: dict[str, Storage] = field(default_factory=dict)
    kept: dict[str, Storage] = field(default_factory=dict)

    def copy(self) -> Place:
        """One side of a branch."""
        return Place(dict(self.variables), dict(self.storages), dict(self.kept))

    def put(self, name: str, variable: str, storage: Storage) -> None:
        """A version has a value."""
        self.variables[name], self.storages[name] = variable, storage

    def taken(self, names: Iterable[str]) -> set[str]:
        """Python names that hold these versions."""
        return {self.variables[name] for name in names if name in self.variables}

    def residents(self, storage: Storage) -> set[str]:
        """Versions that live in these tensors."""
        return {name for name, other in self.storages.items() if other == storage}

    def spelled(self, expr: ir.Expr) -> ir.Expr:
        """An expression in which versions are replaced by the Python names that hold them."""
        return rewrite(
            expr,
            lambda x: ir.Sym(self.variables.get(x.name, x.name)) if isinstance(x, ir.Sym) else None,
        )


def unused(wanted: str, taken: set[str]) -> str:
    """`wanted`, or a name of the generator's own that is free: `_wanted`, `_wanted_2`, ..."""
    own = f"_{wanted.lstrip('_')}"
    candidates = chain((wanted, own), (f"{own}_{number}" for number in count(2)))
    return next(name for name in candidates if name not in taken)


def in_loop(variable: str) -> str:
    """The name of one tensor of a list inside a comprehension."""
    return f"{variable}_i" if variable.startswith("_") else f"_{variable}"
