"""Optimizers of optax and Keras: judged like torch's, and diagnosed."""

from __future__ import annotations

import ast
import importlib
import os
import re
import sys
import warnings
from functools import partial
from importlib import metadata
from pathlib import Path

import pytest
import torch

from instep.conformance.adapters import from_keras, from_optax
from instep.conformance.errors import UsageError
from instep.conformance.subject import UnsupportedError
from instep.conformance.suite import Session, check

os.environ["KERAS_BACKEND"] = "torch"
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    jax, optax, keras = map(importlib.import_module, ("jax", "optax", "keras"))

PAGE = (Path(__file__).parents[2] / "docs" / "adapters.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
ROW = re.compile(r"^\| `(optax|keras)([.\w]*)\.(\w+)(?:\((.*)\))?` \| `(.+)` \|$", re.MULTILINE)
ROWS = ROW.findall(PAGE)
ALWAYS = ("optax.sgd",)


def without_correction(learning_rate, b1=0.9, b2=0.999, eps=1e-8):
    def init(params):
        zeros = jax.tree.map(jax.numpy.zeros_like, params)
        return {"mu": zeros, "nu": zeros}

    def update(updates, state, params=None):
        mu = jax.tree.map(lambda g, m: b1 * m + (1 - b1) * g, updates, state["mu"])
        nu = jax.tree.map(lambda g, v: b2 * v + (1 - b2) * g**2, updates, state["nu"])
        step = jax.tree.map(lambda m, v: -learning_rate * m / (jax.numpy.sqrt(v) + eps), mu, nu)
        return step, {"mu": mu, "nu": nu}

    return optax.GradientTransformation(init, update)


def ran(session, *names):
    return {name: session.run(f"{session.prefix}/{name}") for name in names}


def with_gradient(*values, dtype=torch.float32):
    p = torch.nn.Parameter(torch.tensor(values, dtype=dtype))
    p.grad = torch.ones_like(p)
    return p


# ---- optax


def test_adamw_of_optax_is_in_step_in_float64_and_its_moments_are_found():
    session = Session(from_optax(optax.adamw), "adamw")
    results = ran(session, "numerics/trajectory", "numerics/first-moment", "numerics/second-moment")
    assert {r.status for r in results.values()} == {"passed"}
    assert session.context.widest == "float64"
    paths = {s: b.path for s, b in session.context.states.bindings.items()}
    assert paths == {"m": "0/mu", "v": "0/nu"}
    assert session.context.states.all_confirmed


def test_a_transformation_that_forgets_the_correction_is_diagnosed():
    session = Session(from_optax(without_correction), "adam")
    assert session.run("adam/numerics/trajectory").status == "failed"
    assert "adam/no-bias-correction" in str(session.diagnosis)


def test_hyperparameters_change_where_they_are_injected_only():
    fixed = ran(Session(from_optax(optax.sgd), "sgd"), "hyperparameters/lr-changed")
    assert fixed["hyperparameters/lr-changed"].status == "skipped"
    free = Session(from_optax(optax.inject_hyperparams(optax.sgd)), "sgd")
    assert free.run("sgd/hyperparameters/lr-changed").status == "passed"


def test_what_torch_alone_has_is_skipped_with_a_reason():
    names = ("gradients/none", "errors/lr", "groups/own-values", "gradients/sparse",
             "gradients/complex", "copies/pickle", "checkpoints/file")  # fmt: skip
    results = ran(Session(from_optax(optax.sgd), "sgd"), *names)
    assert {r.status for r in results.values()} == {"skipped"}
    assert "optax steps on all parameters" in results["gradients/none"].message
    assert "optax gets dense gradients" in results["gradients/sparse"].message


def test_what_jax_is_set_to_stays():
    before = jax.config.jax_enable_x64
    p = with_gradient(1.0, dtype=torch.float64)
    subject = from_optax(optax.sgd)([p], learning_rate=1e-9)
    subject.step()
    assert p.item() == 1 - 1e-9
    assert jax.config.jax_enable_x64 == before


def test_single_precision_is_what_jax_has_by_default():
    seen = []

    def schedule(count):
        seen.append(jax.numpy.zeros(()).dtype)
        return 0.5

    for dtype in (torch.float32, torch.float64):
        from_optax(optax.sgd)([with_gradient(1.0, dtype=dtype)], learning_rate=schedule).step()
    assert [str(dtype) for dtype in seen] == ["float32", "float64"]


def test_what_may_be_an_array_of_booleans_is_no_switch():
    naming = Session(from_optax(optax.adamw), "adamw").subject.naming
    assert naming.booleans == {"nesterov": False}


def test_bfloat16_goes_there_and_back():
    p = with_gradient(1.0, 3.0, dtype=torch.bfloat16)
    from_optax(optax.sgd)([p], learning_rate=0.5).step()
    assert p.dtype is torch.bfloat16
    assert p.tolist() == [0.5, 2.5]


def test_the_loss_of_a_closure_is_given_to_the_update_and_returned():
    p = with_gradient(1.0)
    subject = from_optax(optax.polyak_sgd)([p], max_learning_rate=10.0, scaling=1.0)
    assert subject.step(lambda: torch.tensor(0.25)) == 0.25
    assert p.item() == 0.75


def test_a_schedule_is_passed_on():
    p = with_gradient(1.0)
    subject = from_optax(optax.sgd)([p], learning_rate=lambda count: 0.5 / (1 + count))
    subject.step()
    subject.step()
    assert p.item() == 0.25


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ([{"params": [torch.zeros(1)]}], "optax has no parameter groups"),
        ([torch.zeros(1, dtype=torch.complex64)], "optax sees a complex number as one"),
    ],
)
def test_parameters_that_optax_has_not(parameters, message):
    with pytest.raises(UnsupportedError, match=message):
        from_optax(optax.sgd)(parameters, learning_rate=0.1)


def test_a_transformation_is_no_constructor():
    with pytest.raises(UsageError, match="from a constructor, not from a Gradient"):
        from_optax(optax.sgd(0.1))


def test_what_follows_a_schedule_is_compared_with_nothing():
    subject = partial(from_optax(optax.sgd), learning_rate=optax.constant_schedule(0.1))
    with pytest.raises(UsageError, match="lr follows a schedule"):
        Session(subject, "sgd")


def test_none_is_no_hyperparameter():
    session = Session(partial(from_optax(optax.sgd), momentum=None), "sgd")
    assert session.base.values["momentum"] == 0
    assert "momentum" in session.base.fixed


# ---- Keras


def test_adamw_of_keras_is_in_step_with_its_dialect():
    report = check(from_keras(keras.optimizers.AdamW), "adamw", dialect="keras")
    wrong = {r.id for r in report.failures if r.level == "must"}
    # conformance/findings/keras_first_type.py and keras_bfloat16_still.py
    assert wrong == {"adamw/types/mixed", "adamw/precision/bfloat16-defaults"}, report.to_text()
    assert not [r for r in report.results if r.status == "errored"]
    assert not [r for r in report.results if r.status == "skipped" and not r.message]


def test_rates_of_decay_that_keras_rounds_to_one_are_seen():
    """As the finding keras_bfloat16_still shows; with dyadic rates the same class passes."""
    session = Session(from_keras(keras.optimizers.AdamW), "adamw/keras")
    results = ran(session, "precision/bfloat16", "precision/bfloat16-defaults")
    assert [r.status for r in results.values()] == ["passed", "failed"]
    assert results["precision/bfloat16-defaults"].level == "must"


def test_where_keras_adds_epsilon_is_diagnosed():
    subject = partial(from_keras(keras.optimizers.Adam), weight_decay=0.0)
    session = Session(subject, "adam")
    assert session.run("adam/numerics/trajectory").status == "failed"
    assert "adam/eps-hat" in str(session.diagnosis)


def test_the_moments_of_keras_are_found():
    session = Session(from_keras(keras.optimizers.AdamW), "adamw", dialect="keras")
    paths = {s: b.path for s, b in session.context.states.bindings.items()}
    assert paths == {"m": "momentums", "v": "velocities"}
    assert session.context.states.all_confirmed


def test_the_learning_rate_of_keras_may_change_and_floatx_stays():
    before = keras.config.floatx()
    p = with_gradient(1.0, dtype=torch.float64)
    subject = from_keras(keras.optimizers.SGD)([p], learning_rate=0.5)
    subject.step()
    assert subject.param_groups[0]["learning_rate"] == 0.5
    subject.param_groups[0]["learning_rate"] = 1e-9
    subject.step()
    assert p.item() == 0.5 - 1e-9
    assert keras.config.floatx() == before


def test_another_backend_of_keras_is_refused(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(UsageError, match="Keras runs on jax: set KERAS_BACKEND=torch"):
        from_keras(keras.optimizers.SGD)


# ---- both


def subject_of(package, module, name, arguments):
    factory = getattr(importlib.import_module(package + module), name)
    adapted = (from_keras if package == "keras" else from_optax)(factory)
    bound = ast.parse(f"f({arguments})", mode="eval").body.keywords
    return partial(adapted, **{word.arg: ast.literal_eval(word.value) for word in bound})


def rows():
    """The table of the page: Keras' in every run; where each step is compiled most are slow."""
    for package, module, name, arguments, dialect in ROWS:
        always = package == "keras" or f"{package}.{name}" in ALWAYS
        marks = () if always else pytest.mark.slow
        label = f"{package}.{name}({arguments})"
        yield pytest.param(package, module, name, arguments, dialect, marks=marks, id=label)


@pytest.mark.parametrize(("package", "module", "name", "arguments", "dialect"), list(rows()))
def test_the_table_of_the_page(package, module, name, arguments, dialect):
    session = Session(subject_of(package, module, name, arguments), dialect)
    results = ran(session, "numerics/trajectory", "numerics/defaults", "numerics/fine-values")
    assert {r.status for r in results.values()} == {"passed"}, results


def test_the_table_has_the_usual_names():
    names = {(package, name.lower()) for package, _, name, *_ in ROWS}
    every = "adam adamw adamax nadam sgd rmsprop adagrad adadelta lion lamb"
    assert {(p, n) for p in ("optax", "keras") for n in every.split()} <= names
    more = "radam yogi adabelief novograd amsgrad lars"
    assert {("optax", n) for n in more.split()} <= names


def test_the_table_is_of_the_versions_that_are_installed():
    assert f"optax {metadata.version('optax')}" in PAGE
    assert f"Keras {metadata.version('keras')}" in PAGE


@pytest.mark.parametrize(("adapter", "module"), [(from_optax, "optax"), (from_keras, "keras")])
def test_a_package_that_is_not_there_is_one_line(adapter, module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError, match=f"pip install {module}"):
        adapter(len)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        pytest.param(BLOCKS[0], "in step", marks=pytest.mark.slow, id="optax"),
        pytest.param(BLOCKS[1], "adam/eps-hat", id="keras"),
        pytest.param(BLOCKS[2], "", id="module"),
    ],
)
def test_the_code_of_the_page_runs(code, said, capsys):
    exec(code, {})
    printed = capsys.readouterr().out
    assert said in printed
    assert len(BLOCKS) == 3
