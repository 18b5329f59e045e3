from __future__ import annotations

import json
import sys
import types

import pytest

from instep import spec


def test_every_name_and_dialect_is_listed(instep):
    done = instep("list")
    assert (done.code, done.err) == (0, "")
    assert {n for n in spec.names() if f"\n{n}@" in f"\n{done.out}"} == set(spec.names())
    words = set(done.out.split())  # a long name stands on a line of its own
    assert set(spec.dialects()) <= words
    assert max(map(len, done.out.splitlines())) <= 80


def test_the_list_as_json_names_the_default_dialect_first(instep):
    records = json.loads(instep("list", "--json").out)
    assert [r["name"] for r in records] == [*spec.names(), *spec.schedule_names()]
    for record in records:
        assert record["default"] == spec.get(record["name"]).full_name
        assert record["dialects"][0]["name"] == record["default"]
    named = {d["name"] for r in records if r["kind"] == "algorithm" for d in r["dialects"]}
    assert named == set(spec.dialects())


def test_checks_are_listed_once_with_the_specs_that_have_them(engine, instep):
    out = instep("list", "--checks").out
    assert "specs: adamw, sgd" in out
    assert "a/one   [MUST]\n" in out
    assert "b/two   [SHOULD]   (adamw only)\n" in out
    assert out.count("the first thing holds") == 1


def test_checks_as_json(engine, instep):
    records = json.loads(instep("list", "--checks", "--json").out)
    assert records[0] == {
        "id": "adamw/a/one",
        "level": "must",
        "requirement": "the first thing holds",
    }
    assert len(records) == 3


# ---- explain


def test_explain_one_check(engine, instep):
    out = instep("explain", "adamw/b/two").out
    assert "adamw/b/two   [SHOULD]" in out
    assert "requirement  the second thing holds" in out
    assert "the subject stays in step" in out


def test_explain_a_check_of_every_spec(engine, instep):
    assert "specs        adamw, sgd" in instep("explain", "a/one").out
    records = json.loads(instep("explain", "a/one", "--json").out)
    assert [r["id"] for r in records] == ["adamw/a/one", "sgd/a/one"]


@pytest.mark.parametrize("id", [
    "sgd/trace/trajectory",
    "adamw/trace/update",
    "step-lr/numerics/by-hand-3",
    "sgd/implementations/foreach",
    "lookahead.sgd/trace/trajectory",
    "lookahead.sgd/gradients/none",
    "chained.step-lr.constant-lr/numerics/dyadic",
])  # fmt: skip
def test_every_id_that_a_report_can_have_is_explained(instep, id):
    done = instep("explain", id)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"{id}   [MUST]\n")


def test_checks_of_traces_are_listed(instep):
    out = instep("list", "--checks", "--traces").out
    assert "trace/trajectory   [MUST]" in out
    assert instep("list", "--traces").code == 2
    assert instep("list", "--checks", "--traces", "--schedules").code == 2


def test_an_unknown_check_gets_the_nearest(engine, instep):
    done = instep("explain", "adamw/a/on")
    assert done.code == 2
    assert done.err.startswith("instep: there is no check 'adamw/a/on'; nearest: adamw/a/one")


# ---- diff


@pytest.fixture
def compared(monkeypatch):
    """What the algebra finds, and what it was asked."""
    module = types.ModuleType("instep.spec.algebra")
    module.asked = []

    def difference(a, b):
        module.asked.append((a.full_name, b.full_name))
        return types.SimpleNamespace(
            to_text=lambda width: f"they differ, in {width} columns",
            to_json=lambda: {"equal": False},
        )

    module.difference = difference
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def test_diff_prints_what_the_algebra_says(compared, instep):
    done = instep("diff", "adam", "adam/eps-hat")
    assert (done.code, done.out) == (0, "they differ, in 80 columns\n")
    assert compared.asked == [("adam/paper", "adam/eps-hat")]
    assert json.loads(instep("diff", "adam", "adamw", "--json").out) == {"equal": False}


def test_diff_of_an_unknown_name_is_one_line(instep):
    done = instep("diff", "adam", "adm")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("instep: there is no specification 'adm'; nearest: adam")


def test_diff_of_the_real_algebra(instep):
    done = instep("diff", "sgd/torch", "sgd/ema", "--json")
    record = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    assert "buffer" in {e["equation"] for e in record["equations"]}


# ---- show


def test_show_prints_the_equations(instep):
    out = instep("show", "adamw").out
    assert "β₁·mₜ₋₁ + (1 − β₁)·g" in out
    assert "first_moment" in out
    assert "amsgrad" not in out


def test_show_keeps_the_switches_when_asked(instep):
    assert "if amsgrad" in instep("show", "adamw", "--switches").out


def test_show_in_ascii(instep, monkeypatch):
    asked = instep("show", "adamw", "--ascii").out
    assert asked.isascii()
    monkeypatch.setattr("instep.conformance.cli.catalogue._encodable", lambda text: False)
    assert instep("show", "adamw").out == asked


def test_show_one_equation(instep):
    assert instep("show", "adam/eps-hat.denominator").out == "d ← √v + ε\n"


def test_show_latex(instep):
    assert r"\begin{array}" in instep("show", "adamw", "--latex").out
    assert instep("show", "adamw.denominator", "--latex").out.startswith("d_t")


def test_show_code(instep):
    out = instep("show", "adam/eps-hat", "--code", "eager").out
    compile(out, "eager", "exec")
    assert "class " in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["adm"], "there is no specification 'adm'; nearest: adam"),
        (["adamw.denominatr"], "denominatr"),
        (["adamw", "--code", "fortran"], "there is no target 'fortran'"),
        (["adamw", "--code", "eager", "--latex"], "--latex and --code exclude each other"),
        (["absent.py"], "there is no specification file absent.py"),
    ],
)
def test_show_refuses_in_one_line(instep, arguments, said):
    done = instep("show", *arguments)
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert said in line


def test_show_a_file_that_is_no_specification(instep, folder):
    (folder / "wrong.py").write_text("this is no python")
    done = instep("show", "wrong.py")
    assert done.code == 2
    (line,) = done.err.splitlines()
    assert "wrong.py:1: SyntaxError" in line


def test_wrappers_are_listed_with_an_example(instep):
    out = instep("list").out
    assert "lookahead(adamw)" in out
    assert "Lookahead: k steps forward, 1 step back" in out.split("Wrappers")[1]


def test_show_an_equation_of_a_composed_algorithm(instep):
    done = instep("show", "lookahead(sgd).sgd.update", "--ascii")
    assert (done.code, done.out) == (0, "theta <- theta - lr*d\n")
