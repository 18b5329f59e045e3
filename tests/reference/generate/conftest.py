"""Small specifications and programs to run single passes on."""

from __future__ import annotations

import pytest

from instep.reference.generate.lower.form import Assign, Branch, Program
from instep.reference.generate.lower.notation import parse
from instep.spec import ir, registry
from instep.spec.rewriting import rewrite
from instep.spec.scope import Scope, Scopes

HEAD = "from instep.spec.author import *\n\nwith algorithm('own', 'Own') as spec:\n"


@pytest.fixture
def own(tmp_path):
    """An algorithm from the lines of a specification file."""

    def make(lines: str):
        path = tmp_path / "own.py"
        path.write_text(HEAD + "".join(f"    {line}\n" for line in lines.strip().splitlines()))
        return registry.load(path)

    return make


LANES = (
    "A",
    "B",
    "C",
    "m.0",
    "theta.0",
    "grad",
    "x",
    "y",
    "z",
    "theta.1",
    "m.1",
    "z.1",
    "z.2",
    "z.3",
)
NUMBERS = ("s", "r", "t", "lr", "c")


@pytest.fixture
def program():
    """A program of assignments `name = expression` over lanes (A, m.0) and numbers (s, lr)."""

    def make(*statements, result="theta.1", stores=()):
        scopes = Scopes(dict.fromkeys(LANES, Scope.TENSOR) | dict.fromkeys(NUMBERS, Scope.GROUP))
        block = tuple(assign(s, stores) if isinstance(s, str) else s for s in statements)
        return Program(block, result, scopes)

    return make


def assign(text: str, stores=()) -> Assign:
    target, value = text.split(" = ")
    let = ir.Let(f"eq_{target.split('.')[0]}", ir.Sym(target), expression(value))
    return Assign(target, expression(value), (let,), dict(stores).get(target, ""))


def helper(text: str) -> Assign:
    """An assignment that comes from no equation."""
    target, value = text.split(" = ")
    return Assign(target, expression(value))


def expression(text: str) -> ir.Expr:
    """An expression in which `m_0` is the version `m.0`."""

    def version(x):
        if isinstance(x, ir.Sym) and x.name[-2:-1] == "_" and x.name[-1].isdigit():
            return ir.Sym(f"{x.name[:-2]}.{x.name[-1]}")
        return ir.Grad(ir.Sym("theta")) if x == ir.Sym("grad") else None

    return rewrite(parse(text), version)


def branch(then, otherwise) -> Branch:
    condition = ir.Compare("==", ir.Opt("flag"), ir.Value(True))
    return Branch(condition, tuple(then), tuple(otherwise))


@pytest.fixture(name="assign")
def assign_fixture():
    return assign


@pytest.fixture(name="helper")
def helper_fixture():
    return helper


@pytest.fixture(name="branch")
def branch_fixture():
    return branch


@pytest.fixture(name="expression")
def expression_fixture():
    return expression


@pytest.fixture
def listing():
    """A program as lines: `target = value`, branches as `if: ... else: ...`, in order."""

    def lines(block, depth=0):
        for s in block:
            if isinstance(s, Assign):
                yield f"{'  ' * depth}{s.target} = {show(s.value)}"
            else:
                yield f"{'  ' * depth}if"
                yield from lines(s.then, depth + 1)
                if s.otherwise:
                    yield f"{'  ' * depth}else"
                    yield from lines(s.otherwise, depth + 1)

    return lambda program: list(lines(program.block))


def show(x: ir.Expr) -> str:
    """An expression with every operation in parentheses."""
    match x:
        case ir.Sym(name):
            return name
        case ir.Const(value):
            return str(value)
        case ir.Binary(op, a, b):
            return f"({show(a)} {op} {show(b)})"
        case ir.Negate(a):
            return f"(-{show(a)})"
        case ir.Call(function, arguments):
            return f"{function}({', '.join(map(show, arguments))})"
        case ir.Grad():
            return "grad"
    return type(x).__name__
