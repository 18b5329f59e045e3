from __future__ import annotations

import dataclasses
import json
import math

import jsonschema
import numpy as np
import pytest

from instep.conformance.errors import UsageError
from instep.conformance.report import model
from instep.conformance.report.json import DERIVED, from_json, plain, schema, to_json


@pytest.fixture(scope="module")
def validator():
    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(schema())


def test_every_report_follows_the_published_schema(any_report, validator):
    validator.validate(json.loads(to_json(any_report)))


@pytest.mark.parametrize(
    ("break_it", "where"),
    [
        (lambda r: r["results"][0].update(status="fine"), "status"),
        (lambda r: r["results"][0].update(id="Not An Id"), "id"),
        (lambda r: r["results"][0]["evidence"].update(got_hex="-0.1"), "got_hex"),
        (lambda r: r["coverage"].update(ran=-1), "ran"),
        (lambda r: r.pop("mapping"), None),
        (lambda r: r.update(extra=1), None),
    ],
)
def test_schema_refuses_what_is_no_report(reports, validator, break_it, where):
    record = json.loads(to_json(reports["broken"]))
    break_it(record)
    (error,) = validator.iter_errors(record)
    deepest = max([error, *(error.context or [])], key=lambda e: len(e.absolute_path))
    assert where is None or deepest.absolute_path[-1] == where


@pytest.mark.parametrize(
    ("definition", "kind"),
    [
        (None, model.Report),
        ("result", model.Result),
        ("evidence", model.Evidence),
        ("diagnosis", model.Diagnosis),
        ("candidate", model.Candidate),
        ("coverage", model.Coverage),
    ],
)
def test_schema_describes_exactly_the_fields(definition, kind):
    described = schema() if definition is None else schema()["$defs"][definition]
    fields = {f.name for f in dataclasses.fields(kind)}
    assert set(described["properties"]) - DERIVED == fields
    assert set(described["required"]) == set(described["properties"])


def test_schema_knows_the_levels_and_statuses():
    result = schema()["$defs"]["result"]["properties"]
    assert tuple(result["level"]["enum"]) == model.LEVELS
    assert tuple(result["status"]["enum"]) == model.STATUSES


def test_a_report_comes_back_as_it_was(any_report):
    back = from_json(to_json(any_report))
    assert to_json(back) == to_json(any_report)
    assert back.to_text() == any_report.to_text()


def test_round_trip_is_equality(reports):
    assert from_json(to_json(reports["failing"])) == reports["failing"]


def test_nonfinite_floats_are_strings_and_come_back_as_floats(reports):
    text = to_json(reports["broken"])
    assert '"got": "nan"' in text
    assert '"ratio": "inf"' in text
    evidence = next(r for r in from_json(text).results if r.id.endswith("overflow")).evidence
    assert math.isnan(evidence.got)
    assert evidence.ratio == math.inf
    assert evidence.hyperparameters["lr"] == math.inf


def test_evidence_also_stands_in_hex(reports):
    record = json.loads(to_json(reports["failing"]))["results"][0]["evidence"]
    assert float.fromhex(record["expected_hex"]) == record["expected"]
    assert record["got_hex"] == "-0x1.0f10000000000p-5"


def test_values_without_a_json_form_stand_as_their_repr():
    assert plain({"hook": print, "lr": np.float64(0.5), "k": np.int64(3)}) == {
        "hook": "<built-in function print>",
        "lr": 0.5,
        "k": 3,
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:-3], "Expecting"),
        (
            lambda text: text.replace("instep-report@1", "other"),
            '"format" is not "instep-report@1"',
        ),
        (lambda text: "[]", '"format" is not'),
        (lambda text: text.replace('"mapping"', '"map"'), "report.map is unknown"),
        (
            lambda text: text.replace('"step": 3', '"step": "3"'),
            "report.results[0].evidence.step is no int",
        ),
        (lambda text: text.replace('"coverage": {', '"coverage": 3, "x": {'), "unknown"),
    ],
)
def test_text_that_is_no_report_is_refused_in_one_line(reports, change, message):
    text = to_json(reports["failing"])
    assert change(text) != text
    with pytest.raises(UsageError) as error:
        from_json(change(text))
    assert message in str(error.value)
    assert "\n" not in str(error.value)
