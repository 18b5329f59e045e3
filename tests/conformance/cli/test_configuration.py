from __future__ import annotations

import dataclasses
import datetime
import inspect

import pytest

from instep.conformance.configuration import Settings, configured
from instep.conformance.errors import UsageError


def write(folder, text):
    (folder / "pyproject.toml").write_text(text)


def test_without_a_file_the_defaults_hold(tmp_path):
    assert configured("mine:A", tmp_path) == Settings()


def test_another_subject_gets_the_defaults(tmp_path):
    write(tmp_path, '[tool.instep.subjects."mine:B"]\nspec = "sgd"\n')
    assert configured("mine:A", tmp_path) == Settings()


def test_every_key_is_read(tmp_path):
    write(
        tmp_path,
        """
        [tool.instep.subjects."mine:A"]
        spec = "adamw"
        hyperparameters = { lr = 1e-3, betas = [0.9, 0.95] }
        fixed = ["eps"]
        rename = { lr = "rate" }
        state = { m = "mu" }
        dialect = "eps-hat"
        profile = { state = "bfloat16" }
        lacks = ["sparse"]
        level = "full"
        implementations = true
        timeout = 5
        floor = 40

        [tool.instep.subjects."mine:A".expected-failures]
        "adamw/a/one" = "issue 12"
        "adamw/a/two" = { reason = "kept apart", issue = "#13", expires = 2027-01-31 }
        """,
    )
    assert configured("mine:A", tmp_path) == Settings(
        spec="adamw",
        hyperparameters={"lr": 1e-3, "betas": (0.9, 0.95)},
        fixed=("eps",),
        rename={"lr": "rate"},
        state={"m": "mu"},
        dialect="eps-hat",
        profile={"state": "bfloat16"},
        lacks=("sparse",),
        level="full",
        implementations=True,
        expected_failures={
            "adamw/a/one": "issue 12",
            "adamw/a/two": {
                "reason": "kept apart",
                "issue": "#13",
                "expires": datetime.date(2027, 1, 31),
            },
        },
        timeout=5,
        floor=40,
    )


def test_the_nearest_file_counts(tmp_path):
    write(tmp_path, '[tool.instep.subjects."mine:A"]\nspec = "sgd"\n')
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert configured("mine:A", inner).spec == "sgd"
    write(inner.parent, "")
    assert configured("mine:A", inner).spec == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool", "pyproject.toml cannot be read: "),
        ("tool.instep = 3", "tool.instep is no table"),
        ("[tool.instep]\nsubject = 3", "[tool.instep]: unknown key subject; nearest: subjects"),
        ("[tool.instep]\nsubjects = 3", "subjects is no table"),
        ('[tool.instep.subjects]\n"mine:A" = "adamw"', "mine:A is no table"),
        ('[tool.instep.subjects."mine:A"]\nspecs = "a"', "unknown key specs; nearest: spec"),
        ('[tool.instep.subjects."mine:A"]\nspec = 3', "spec = 3 is no str"),
        ('[tool.instep.subjects."mine:A"]\nfixed = "lr"', "fixed = 'lr' is no tuple"),
        ('[tool.instep.subjects."mine:A"]\nrename = {a = 3}', "rename = {'a': 3} is no Mapping"),
        ('[tool.instep.subjects."mine:A"]\nfloor = true', "floor = True is no int"),
        ('[tool.instep.subjects."mine:A"]\ntimeout = "1"', "timeout = '1' is no float"),
        (
            '[tool.instep.subjects."mine:A"]\nexpected-failures = {"a/b/c" = {issue = "#1"}}',
            '[tool.instep.subjects."mine:A"]: expected failure of a/b/c: say the reason',
        ),
        (
            '[tool.instep.subjects."mine:A"]\nlevel = "slow"',
            "level is one of quick, full, not slow",
        ),
    ],
)
def test_a_wrong_file_is_said_in_one_line(tmp_path, text, said):
    write(tmp_path, text)
    with pytest.raises(UsageError) as error:
        configured("mine:A", tmp_path)
    assert said in str(error.value)
    assert str(tmp_path) in str(error.value)


def test_settings_have_the_keywords_of_the_engine():
    from instep.conformance.suite import Session

    known = set(inspect.signature(Session).parameters) - {"subject", "spec"}
    assert set(Settings().keywords()) <= known


def test_their_defaults_are_those_of_the_engine():
    from instep.conformance.suite import Session

    defaults = {n: p.default for n, p in inspect.signature(Session).parameters.items()}
    for name, value in Settings().keywords().items():
        assert value == defaults[name] or not (value or defaults[name])


def test_what_was_not_given_overrides_nothing():
    settings = Settings(
        spec="sgd", fixed=("lr",), hyperparameters={"lr": 1.0}, implementations=True
    )
    nothing = dict.fromkeys((f.name for f in dataclasses.fields(Settings)), None)
    assert settings.overridden(**nothing) == settings
    assert settings.overridden(fixed=(), hyperparameters={}) == settings
    assert settings.overridden(implementations=False).implementations is False
    assert settings.overridden(hyperparameters={"eps": 2.0}).hyperparameters == {
        "lr": 1.0,
        "eps": 2.0,
    }
