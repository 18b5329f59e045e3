"""Mistakes inside one expression: each yields what the expression becomes, and says what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from instep.spec import ir
from instep.spec.model import Algorithm
from instep.spec.rewriting import with_child
from instep.spec.scope import infer

Change = tuple[str, ir.Expr]  # kind, what the node becomes
Mutator = Callable[[ir.Expr, "Names"], Iterator[Change]]


@dataclass(frozen=True)
class Names:
    """What the names of an algorithm stand for."""

    algorithm: Algorithm

    @property
    def hyperparameters(self) -> dict[str, float]:
        """Defaults by symbol."""
        return self.algorithm.defaults()

    @property
    def states(self) -> set[str]:
        """Symbols of the states."""
        return {s.name for s in self.algorithm.states}

    @property
    def counter(self) -> str:
        """Symbol of the step counter, or empty."""
        return self.algorithm.counter.name if self.algorithm.counter is not None else ""

    def siblings(self, symbol: str) -> list[str]:
        """Other hyperparameters under the same key: beta2 for beta1."""
        table = {h.name: h.key for h in self.algorithm.hyperparameters}
        return [n for n, k in table.items() if k == table.get(symbol) and n != symbol]

    def rounded(self, expr: ir.Expr) -> bool:
        """Whether a number comes from divisions, powers or roots of real hyperparameters.

        Such a number meets a threshold exactly for no more than a few values of them, and there
        rounding decides on which side it falls.
        """
        if not infer(self.algorithm).of(expr).on_host:
            return False
        inner = list(self._inlined(expr, set()))
        inexact = any(
            isinstance(n, ir.Call) or (isinstance(n, ir.Binary) and n.op in ("/", "**"))
            for n in inner
        )
        real = {h.name for h in self.algorithm.hyperparameters if not h.domain.integer}
        return inexact and any(isinstance(n, ir.Sym) and n.name in real for n in inner)

    def _inlined(self, expr: ir.Expr, seen: set[str]) -> Iterator[ir.Expr]:
        """All nodes of an expression and, once each, of the equations of the symbols in it."""
        for node in ir.walk(expr):
            yield node
            if isinstance(node, ir.Sym) and node.name not in seen:
                seen.add(node.name)
                for let in ir.lets(self.algorithm.body):
                    if let.target == node:
                        yield from self._inlined(let.value, seen)


def changed(expr: ir.Expr, mutator: Mutator, names: Names) -> Iterator[Change]:
    """The whole expression with one node changed, for every node and every change of it."""
    for kind, new in mutator(expr, names):
        if new != expr:
            yield kind, new
    for k, child in enumerate(ir.children(expr)):
        for kind, new in changed(child, mutator, names):
            yield kind, with_child(expr, k, new)


def terms(node: ir.Expr, names: Names) -> Iterator[Change]:
    """A term dropped, a sign flipped, a bracket too wide."""
    match node:
        case ir.Binary("+", a, ir.Binary("*", b, c)) if not _is_one(a):
            yield "bracket around both terms", ir.Binary("*", ir.Binary("+", a, b), c)
    match node:
        case ir.Binary("+" | "-" as op, a, b):
            if not _is_one(a):
                yield "second term missing", a
            yield "first term missing", b if op == "+" else ir.Negate(b)
            yield "sign flipped", ir.Binary("-" if op == "+" else "+", a, b)
        case ir.Negate(a):
            yield "sign missing", a


def factors(node: ir.Expr, names: Names) -> Iterator[Change]:
    """A factor or divisor forgotten, applied twice, or upside down."""
    match node:
        case ir.Binary("*", a, b):
            yield "factor missing", a
            yield "factor missing", b
            if _is_scalar(a, names):
                yield "factor twice", ir.Binary("*", ir.Binary("*", a, a), b)
        case ir.Binary("/", a, b):
            yield "divisor missing", a
            yield "multiplied instead of divided", ir.Binary("*", a, b)
            if not isinstance(b, ir.Const):
                yield "divided twice", ir.Binary("/", node, b)
                if not isinstance(a, ir.Const):
                    yield "fraction inverted", ir.Binary("/", b, a)


def powers(node: ir.Expr, names: Names) -> Iterator[Change]:
    """A square or a root forgotten, or one too many."""
    match node:
        case ir.Binary("**", a, ir.Const(2)):
            yield "square missing", a
            yield "absolute value instead of square", ir.Call("abs", (a,))
        case ir.Binary("**", a, b):
            yield "exponent missing", a
            yield "exponent doubled", ir.Binary("**", a, ir.Binary("*", ir.Const(2), b))
        case ir.Call("sqrt", (a,)):
            yield "root missing", a
            yield "root taken twice", ir.Call("sqrt", (node,))
        case ir.Binary("-", ir.Const(1), ir.Binary("**", _, ir.Sym(_)) as power):
            yield "root of the bias correction", ir.Call("sqrt", (node,))
            yield "bias correction subtracted from one", power


def small_terms(node: ir.Expr, names: Names) -> Iterator[Change]:
    """A hyperparameter beside a root (eps): inside it, under a clamp, another size."""
    match node:
        case ir.Binary("+", ir.Call("sqrt", (x,)), ir.Sym(e)) if e in names.hyperparameters:
            eps = ir.Sym(e)
            root = ir.Call("sqrt", (x,))
            yield f"{e} inside the root", ir.Call("sqrt", (ir.Binary("+", x, eps),))
            yield (
                f"{e} squared inside the root",
                ir.Call("sqrt", (ir.Binary("+", x, ir.Binary("*", eps, eps)),)),
            )
            yield f"{e} as a lower limit", ir.Call("max", (root, eps))
            yield f"{e} squared", ir.Binary("+", root, ir.Binary("*", eps, eps))
            yield f"root of {e}", ir.Binary("+", root, ir.Call("sqrt", (eps,)))
            inside = ir.Call("sqrt", (ir.Binary("+", x, eps),))
            yield f"{e} inside and outside the root", ir.Binary("+", inside, eps)


def decay_rates(node: ir.Expr, names: Names) -> Iterator[Change]:
    """1 - b confused with b, or forgotten."""
    match node:
        case ir.Binary("-", ir.Const(1), ir.Sym(b)) if b in names.hyperparameters:
            yield f"{b} instead of 1 - {b}", ir.Sym(b)
            yield f"1 - {b} missing", ir.Const(1)
        case ir.Binary("*", ir.Sym(b), ir.Prev(s)) if b in names.hyperparameters:
            complement = ir.Binary("-", ir.Const(1), ir.Sym(b))
            yield f"1 - {b} instead of {b}", ir.Binary("*", complement, ir.Prev(s))


def symbols(node: ir.Expr, names: Names) -> Iterator[Change]:
    """One name for another: the other beta, the old value for the new, a frozen counter."""
    match node:
        case ir.Sym(name) if name in names.hyperparameters:
            for other in names.siblings(name):
                yield f"{other} instead of {name}", ir.Sym(other)
            yield f"{name} hard-coded", ir.Const(names.hyperparameters[name])
            yield f"{name} times ten", ir.Binary("*", ir.Const(10), node)
            if not _integer(names, name):
                yield f"{name} halved", ir.Binary("*", ir.Const(0.5), node)
        case ir.Sym(name) if name in names.states:
            yield f"old {name} instead of new", ir.Prev(name)
        case ir.Prev(name) if name in names.states:
            yield f"new {name} instead of old", ir.Sym(name)
        case ir.Sym(name) if name == names.counter:
            yield "step counter one ahead", ir.Binary("+", node, ir.Const(1))
            late = ir.Call("max", (ir.Binary("-", node, ir.Const(1)), ir.Const(1)))
            yield "step counter one behind", late
            yield "step counter frozen", ir.Const(1)


def choices(node: ir.Expr, names: Names) -> Iterator[Change]:
    """Max for min, branches of where exchanged, thresholds moved, the wrong axis reduced."""
    match node:
        case ir.Call("max" | "min" as f, (a, b)):
            yield "max and min exchanged", ir.Call("min" if f == "max" else "max", (a, b))
            yield f"{f} missing", a
            yield f"{f} missing", b
        case ir.Call("sign" | "abs" as f, (a,)):
            yield f"{f} missing", a
        case ir.Where(c, a, b):
            yield "branches exchanged", ir.Where(c, b, a)
            yield "condition ignored", a
            yield "condition ignored", b
        case ir.Compare(">" | "<" | ">=" | "<=" as op, a, b):
            if not (names.rounded(a) or names.rounded(b)):
                flip = {">": ">=", ">=": ">", "<": "<=", "<=": "<"}[op]
                yield "strictness of the comparison", ir.Compare(flip, a, b)
            yield "threshold one higher", ir.Compare(op, a, ir.Binary("+", b, ir.Const(1)))
            yield "threshold one lower", ir.Compare(op, a, ir.Binary("-", b, ir.Const(1)))
        case ir.Reduce(op, over, x):
            other = "mean" if op == "sum" else "sum"
            yield f"{other} instead of {op}", ir.Reduce(other, over, x)
            swapped = {"rows": "cols", "cols": "rows", "units": "all"}.get(over)
            if swapped is not None:
                yield "wrong axis", ir.Reduce(op, swapped, x)  # type: ignore[arg-type]
        case ir.Transpose(a):
            yield "transpose missing", a
        case ir.Touched():
            zero = ir.Compare("!=", ir.Grad(ir.Sym(ir.THETA)), ir.Const(0))
            yield "an explicit zero not counted as touched", zero
        case ir.MatMul(a, b):
            yield "matrix factors exchanged", ir.MatMul(b, a)


MUTATORS: tuple[Mutator, ...] = (
    small_terms,
    decay_rates,
    symbols,
    powers,
    factors,
    terms,
    choices,
)


def _is_one(expr: ir.Expr) -> bool:
    return expr == ir.Const(1)


def _integer(names: Names, name: str) -> bool:
    return names.algorithm.hyperparameter(name).domain.integer


def _is_scalar(expr: ir.Expr, names: Names) -> bool:
    """Made of hyperparameters, constants and the step counter alone."""
    known = set(names.hyperparameters) | {names.counter}
    leaves = [n for n in ir.walk(expr) if not ir.children(n)]
    return all(
        isinstance(n, ir.Const) or (isinstance(n, ir.Sym) and n.name in known) for n in leaves
    ) and any(isinstance(n, ir.Sym) for n in leaves)
