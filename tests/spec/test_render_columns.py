from __future__ import annotations

import unicodedata

import pytest

from instep.spec import dialects, get, render


def width(text):
    return sum(not unicodedata.combining(c) for c in text)


@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize("columns", [80, 50])
@pytest.mark.parametrize("name", dialects())
def test_text_fits_the_terminal_with_names_in_one_column(name, columns, ascii):
    algorithm = get(name)
    for keep in (None, render.switches(algorithm)):
        text = render.text_algorithm(algorithm, keep=keep, ascii=ascii, width=columns)
        assert all(width(line) <= columns for line in text.split("\n"))
        assert {
            width(x[: x.index("first_moment")]) for x in text.split("\n") if "first_moment" in x
        } <= {width(x[: x.index("update")]) for x in text.split("\n") if "update" in x}


def test_a_name_for_which_a_line_leaves_no_room_stands_below():
    lars = get("lars/decayed")
    lines = render.text_algorithm(lars, keep=render.switches(lars), width=50, ascii=True)
    named = [x.split() for x in lines.split("\n") if "trust_ratio@denominator" in x]
    assert ["trust_ratio", "trust_ratio@denominator"] in named
    assert ["<-", "trust_ratio@denominator"] in named


def test_a_line_that_does_not_fit_is_broken_at_blanks_and_loses_nothing():
    wide = render.text_algorithm(get("adamw"), width=80)
    narrow = render.text_algorithm(get("adamw"), width=38)
    assert narrow.count("\n") > wide.count("\n")
    words = ["first_moment", "second_moment", "first_correction", "second_correction"]
    for text in (wide, narrow):
        assert all(word in text for word in words)
    assert sorted(wide.split()) == sorted(narrow.split())
