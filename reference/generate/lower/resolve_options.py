"""Options that a dialect decides are gone; those that the constructor takes stay as branches.

What the constructor cannot express is gone too: a condition on a value that the argument never has
is false, and a branch that it guards is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from instep.spec import ir
from instep.spec.arguments import Option, OptionValue
from instep.spec.model import Algorithm
from instep.spec.options import decide, resolve

Kept = Mapping[str, tuple[OptionValue, ...]]


def kept_options(algorithm: Algorithm) -> dict[str, tuple[OptionValue, ...]]:
    """Options that stay open, with the values that they can take at run time."""
    open_options = {
        o.name: tuple(inner for _, inner in o.argument.values)
        for o in algorithm.options
        if o.argument is not None and o.name not in algorithm.pinned and _expressible(o)
    }
    return {
        name: values
        for name, values in open_options.items()
        if _is_choice(name, open_options, algorithm)
    }


def _expressible(option: Option) -> bool:
    """Whether the constructor has a value for the option's default."""
    return option.argument is not None and option.argument.expresses(option.default)


def _is_choice(name: str, open_options: Kept, algorithm: Algorithm) -> bool:
    """Whether the requirements between options leave an open option more than one value."""
    static = [r.condition for r in algorithm.requirements if ir.is_static(r.condition)]
    defaults = algorithm.option_defaults()
    allowed = {
        chosen[name]
        for chosen in _choices(open_options)
        if all(decide(condition, {**defaults, **chosen}) for condition in static)
    }
    return len(allowed) > 1


def _choices(open_options: Kept) -> Iterator[dict[str, OptionValue]]:
    for values in product(*open_options.values()):
        yield dict(zip(open_options, values, strict=True))


def resolve_options(algorithm: Algorithm) -> ir.Body:
    """The body of one class: decided branches taken, conditions on open options simplified."""
    kept = kept_options(algorithm)
    options = algorithm.option_defaults()
    body = _simplify_body(resolve(algorithm.body, options, kept), options, kept)
    return _positive_tests(body, algorithm)


def simplify(condition: ir.Expr, options: Mapping[str, OptionValue], kept: Kept) -> ir.Expr | bool:
    """A condition without decided options; a bool where nothing open remains."""
    match condition:
        case ir.Compare(_, ir.Opt(name), ir.Value(value)) if name not in kept:
            return decide(condition, options)
        case ir.Compare(_, ir.Opt(name), ir.Value(value)) if value not in kept[name]:
            return False
        case ir.Compare(_, ir.Opt(name), ir.Value()) if len(kept[name]) == 1:
            return True
        case ir.Compare("==" | "!=" as op, ir.Const(left), ir.Const(right)):
            return (left == right) == (op == "==")
        case ir.Logic("not", (operand,)):
            inner = simplify(operand, options, kept)
            return not inner if isinstance(inner, bool) else _negate(inner)
        case ir.Logic(op, operands):
            return _simplify_operands(op, [simplify(x, options, kept) for x in operands])
    return condition


def negation(condition: ir.Expr) -> ir.Expr:
    """The opposite condition, with `not` pushed inwards."""
    match condition:
        case ir.Logic("and", operands):
            return ir.Logic("or", tuple(map(negation, operands)))
        case ir.Logic("or", operands):
            return ir.Logic("and", tuple(map(negation, operands)))
    return _negate(condition)


def possible(condition: ir.Expr, options: Mapping[str, OptionValue], kept: Kept) -> set[bool]:
    """Truth values of a condition on options over everything that the constructor can be given."""
    probe = (ir.If(condition, (ir.Apply("yes"),), (ir.Apply("no"),)),)
    reached = {
        s.slot for s in ir.statements(resolve(probe, options, kept)) if isinstance(s, ir.Apply)
    }
    return {slot == "yes" for slot in reached}


def _simplify_operands(op: str, operands: list[ir.Expr | bool]) -> ir.Expr | bool:
    decisive = op == "or"
    if decisive in operands:
        return decisive
    rest = [x for x in operands if not isinstance(x, bool)]
    if len(rest) <= 1:
        return rest[0] if rest else not decisive
    return ir.Logic(op, tuple(rest))


def _negate(condition: ir.Expr) -> ir.Expr:
    match condition:
        case ir.Logic("not", (operand,)):
            return operand
        case ir.Compare("==" | "!=" as op, a, b) if not isinstance(a, ir.Opt):
            return ir.Compare("!=" if op == "==" else "==", a, b)
    return ir.Logic("not", (condition,))


def _simplify_body(body: ir.Body, options: Mapping[str, OptionValue], kept: Kept) -> ir.Body:
    out: list[ir.Stmt] = []
    for statement in body:
        match statement:
            case ir.If(condition, then, otherwise):
                decided = simplify(condition, options, kept)
                then = _simplify_body(then, options, _given(condition, kept, True))
                otherwise = _simplify_body(otherwise, options, _given(condition, kept, False))
                if isinstance(decided, bool):
                    out.extend(then if decided else otherwise)
                else:
                    out.append(_tidy(decided, then, otherwise))
            case ir.Repeat(variable, start, stop, inner, until, down):
                inner = _simplify_body(inner, options, kept)
                out.append(ir.Repeat(variable, start, stop, inner, until, down))
            case _:
                out.append(statement)
    return tuple(out)


def _given(condition: ir.Expr, kept: Kept, holds: bool) -> Kept:
    """What open options can be still where the test of one of them came out so."""
    match condition:
        case ir.Compare("==", ir.Opt(name), ir.Value(value)) if name in kept:
            left = tuple(v for v in kept[name] if (v == value) == holds)
            return {**kept, name: left} if left else kept
    return kept


def _tidy(condition: ir.Expr, then: ir.Body, otherwise: ir.Body) -> ir.If:
    """The branch without an empty first half, and without a second branch as its only content."""
    if not then:
        condition, then, otherwise = _negate(condition), otherwise, ()
    match then:
        case (ir.If(inner, body, ()),) if not otherwise:
            return ir.If(ir.Logic("and", (condition, inner)), body)
    return ir.If(condition, then, otherwise)


def _positive_tests(body: ir.Body, algorithm: Algorithm) -> ir.Body:
    """Branches with two halves ask whether a flag is set, not whether it is not."""
    out: list[ir.Stmt] = []
    for statement in body:
        match statement:
            case ir.If(condition, then, otherwise):
                then, otherwise = (_positive_tests(b, algorithm) for b in (then, otherwise))
                swap = bool(otherwise) and _asks_for_false(condition, algorithm)
                out.append(
                    ir.If(_negate(condition), otherwise, then)
                    if swap
                    else ir.If(condition, then, otherwise)
                )
            case ir.Repeat(variable, start, stop, inner, until, down):
                inner = _positive_tests(inner, algorithm)
                out.append(ir.Repeat(variable, start, stop, inner, until, down))
            case _:
                out.append(statement)
    return tuple(out)


def _asks_for_false(condition: ir.Expr, algorithm: Algorithm) -> bool:
    match condition:
        case ir.Compare("==", ir.Opt(name), ir.Value(value)):
            argument = algorithm.option(name).argument
            return argument is not None and argument.constructor_value(value) is False
        case ir.Logic("not", (ir.Compare(_, ir.Opt(name), ir.Value(value)),)):
            argument = algorithm.option(name).argument
            return argument is not None and argument.constructor_value(value) is True
    return False
