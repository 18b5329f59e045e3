"""What reports are written as: HTML, markdown, a badge, a run, and parts put together."""

from __future__ import annotations

import dataclasses
import html.parser
import json
import re
import sys

import jsonschema
import pytest
import referencing

from instep.conformance.errors import UsageError
from instep.conformance.report import formats
from instep.conformance.report.json import run_to_json, schema
from instep.conformance.report.merging import merged

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(html.parser.HTMLParser):
    """Elements that are open, addresses that are asked for, and the text."""

    def __init__(self):
        super().__init__()
        self.open, self.addresses, self.text, self.ids = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.addresses += [v for k, v in attrs if k in ("src", "href", "xlink:href", "data")]
        self.ids += [v for k, v in attrs if k == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(text):
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == []
    return page, " ".join(" ".join(page.text).split())


def test_every_report_becomes_a_page_that_needs_nothing_else(any_report):
    text = any_report.to_html()
    page, words = read(text)
    assert all(address.startswith("#") for address in page.addresses)
    assert "<script" not in text
    assert not re.search(r"url\((?!#)|@import", text)
    assert any_report.subject in words
    for result in any_report.results:
        assert result.id.partition("/")[2] in words


def test_a_failure_is_shown_with_its_numbers(reports):
    _, words = read(reports["broken"].to_html())
    for text in (
        "OUT OF STEP", "adamw.denominator", "-0x1.0f1p-5", "7.0e5", "dialect adamw/eps-hat",
        'dialect="eps-hat"', "instep repro adamw/numerics/update", "all with |g| < 2^-18",
        "KeyError: 'lr_scale'",
    ):  # fmt: skip
        assert text in words, text


def test_what_a_subject_says_is_text_and_no_markup(make_report, reports):
    wild = dataclasses.replace(reports["errored"].results[0], message="<b>&amp;</b> </article>")
    text = make_report(wild, subject="lambda: <i>").to_html()
    _, words = read(text)
    assert "<b>&amp;</b> </article>" in words
    assert "lambda: <i>" in words


def test_plots_show_steps_and_checks(reports):
    plain = reports["failing"]
    assert "Step by step" not in plain.to_html()
    course = (0.5, float("nan"), 7.04e5, float("inf"))
    results = [dataclasses.replace(plain.results[0], by_step=course), *plain.results[1:]]
    text = dataclasses.replace(plain, results=tuple(results)).to_html()
    assert "Step by step" in text
    assert text.count("<svg") == 2
    # The same report gives the same page.
    assert text == dataclasses.replace(plain, results=tuple(results)).to_html()


def test_without_matplotlib_a_page_is_refused_at_once(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match=r"pip install 'instep\[html\]'"):
        formats.require("html")
    formats.require("markdown")


def test_every_report_becomes_markdown(any_report):
    text = any_report.to_markdown()
    assert text.startswith("## ")
    assert any_report.subject in text
    assert text.count("```") % 2 == 0


def test_a_fence_in_a_message_ends_no_block(make_report, reports):
    loud = dataclasses.replace(reports["errored"].results[0], message="see ```this```")
    text = make_report(loud).to_markdown()
    assert "````text" in text
    assert "\n````\n" in text


@pytest.mark.parametrize(
    ("kinds", "message", "color"),
    [
        (["passing"], "in step with adamw/torch", "brightgreen"),
        (["any dialect"], "in step with adamw/decay-after", "brightgreen"),
        (["passing", "failing"], "out of step with adamw/torch", "red"),
        (["passing", "nothing judged"], "not judged with adamw/torch", "lightgrey"),
        ([], "not judged", "lightgrey"),
    ],
)
def test_a_badge_says_the_worst(reports, kinds, message, color):
    badge = json.loads(formats.rendered("badge", [reports[kind] for kind in kinds]))
    assert badge == {"schemaVersion": 1, "label": "instep", "message": message, "color": color}


def test_a_run_follows_its_published_schema(reports):
    own = referencing.Resource.from_contents(schema())
    registry = referencing.Registry().with_resource(schema()["$id"], own)
    validator = jsonschema.Draft202012Validator(schema("run.schema.json"), registry=registry)
    record = json.loads(run_to_json(list(reports.values())))
    validator.validate(record)
    assert not record["ok"]
    record["reports"][0]["results"][0]["status"] = "fine"
    assert not validator.is_valid(record)


@pytest.mark.parametrize(
    ("path", "name"),
    [("a.json", "run"), ("b/a.html", "html"), ("x.md", "markdown"), ("instep.badge.json", "badge")],
)
def test_the_ending_says_the_format(path, name):
    assert formats.format_of(path) == name


def test_an_ending_that_says_nothing_is_refused():
    with pytest.raises(UsageError, match=r"report\.txt ends with none of"):
        formats.format_of("report.txt")


def in_parts(report):
    """The same report as runners make it that run each check in a process of its own."""
    for result in report.results:
        skipped = ((result.id, result.message),) if result.status == "skipped" else ()
        coverage = dataclasses.replace(
            report.coverage,
            ran=result.status != "skipped",
            skipped=skipped,
            lanes=result.lanes,
            excluded=result.excluded,
            insensitive=result.insensitive,
        )
        yield dataclasses.replace(
            report, results=(result,), coverage=coverage, seconds=result.seconds,
            diagnosis=report.diagnosis if result.evidence is not None else None,
        )  # fmt: skip


def test_parts_put_together_are_the_whole(reports):
    whole = reports["broken"]
    results = tuple(dataclasses.replace(r, seconds=0.25, lanes=8) for r in whole.results)
    lanes = dataclasses.replace(whole.coverage, lanes=8 * len(results), excluded=0, insensitive=0)
    seconds = 0.25 * len(results)
    whole = dataclasses.replace(whole, results=results, coverage=lanes, seconds=seconds)
    again = merged(list(in_parts(whole)))
    # The second failure with evidence was explained as the first one was.
    (lost,) = [r for r in again.results if r.id == "adamw/numerics/overflow"]
    assert lost.consequence_of == results[0].id
    again = dataclasses.replace(
        again,
        results=tuple(
            dataclasses.replace(r, consequence_of="") if r is lost else r for r in again.results
        ),
    )
    assert str(again) == str(whole)
