"""What the names of an algorithm become inside another: renamed where they collide, by the slot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from instep.spec import ir, model
from instep.spec.rewriting import rewrite


def head(name: str) -> str:
    """The outermost name of an expression: `lookahead` of `lookahead(adamw)`."""
    return name.partition("(")[0]


@dataclass(frozen=True)
class Names:
    """What the inner algorithm's names become: symbols, and keys of constructor and state."""

    slot: str
    prefix: str
    symbols: dict[str, str]
    keys: dict[str, str]
    state_keys: dict[str, str]
    start: str

    @classmethod
    def of(cls, outer: model.Algorithm, inner: model.Algorithm, slot: str, prefix: str) -> Names:
        """Names of the inner algorithm that do not collide with those of the outer one."""
        taken = set(symbols(outer))
        own = distinct(symbols(inner), taken, slot)
        if outer.counter is not None and inner.counter is not None:
            own[inner.counter.name] = outer.counter.name
        return cls(
            slot,
            prefix,
            own,
            distinct(keys(inner), keys(outer), slot),
            distinct((s.key for s in inner.states), (s.key for s in outer.states), slot),
            free(f"{slot}_start", taken | set(own.values()), slot),
        )

    def expression(self, expr: ir.Expr) -> ir.Expr:
        """An expression of the inner algorithm in the composed one's names."""
        return rewrite(expr, self.rule)

    def rule(self, expr: ir.Expr) -> ir.Expr | None:
        """Renames one node; None for what has no name."""
        match expr:
            case ir.Sym(name) | ir.Prev(name) | ir.Len(name) | ir.Absent(name):
                return type(expr)(self.symbols.get(name, name))
            case ir.Opt(name):
                return ir.Opt(self.symbols.get(name, name))
            case ir.At(name, index):
                return ir.At(self.symbols.get(name, name), self.expression(index))
        return None

    def symbol(self, name: str) -> str:
        """One symbol or option."""
        return self.symbols.get(name, name)

    def latex(self, name: str, latex: str) -> str:
        """The notation of a renamed symbol, told apart by the slot."""
        if not latex or self.symbol(name) == name or "^" in latex:
            return "" if latex and self.symbol(name) != name else latex
        return rf"{latex}^{{\mathrm{{{self.slot}}}}}"


def symbols(algorithm: model.Algorithm) -> Iterator[str]:
    """Every name but theta that the equations of an algorithm use, declared or local."""
    yield from (h.name for h in algorithm.hyperparameters)
    yield from (o.name for o in algorithm.options)
    yield from (s.name for s in algorithm.states)
    yield from algorithm.inputs
    yield from sorted(ir.assigned(algorithm.body) - {ir.THETA})
    for statement in ir.statements(algorithm.body):
        if isinstance(statement, ir.Repeat):
            yield statement.variable
    if algorithm.counter is not None:
        yield algorithm.counter.name


def keys(algorithm: model.Algorithm) -> Iterator[str]:
    """Arguments of the constructor."""
    yield from (h.key for h in algorithm.hyperparameters)
    yield from (o.argument.key for o in algorithm.options if o.argument is not None)


def distinct(names: Iterable[str], taken: Iterable[str], slot: str) -> dict[str, str]:
    """What each name becomes: one that is not taken, and never the same as another.

    Shorter names first: around `k` and `fast_k` another `k` makes `fast_k` and `fast_fast_k`.
    """
    used, out = set(taken), dict[str, str]()
    for name in sorted(set(names), key=lambda n: (len(n), n)):
        out[name] = free(name, used, slot)
        used.add(out[name])
    return out


def free(name: str, taken: Iterable[str], slot: str) -> str:
    """A name that is not taken: the slot before it, as often as that takes."""
    while name in taken:
        name = f"{slot}_{name}"
    return name
