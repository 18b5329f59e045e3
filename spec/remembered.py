"""Answers about equations, kept: they are asked again and again of bodies that never change."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

_MOST = 4096

Thing = TypeVar("Thing")
More = ParamSpec("More")
Answer = TypeVar("Answer")


def remembered(
    function: Callable[Concatenate[Thing, More], Answer],
) -> Callable[Concatenate[Thing, More], Answer]:
    """Keep the latest answers of a function of an immutable thing and hashable arguments.

    The thing is known by its identity: to hash or to compare equations costs as much as to read
    them. It is kept with its answer, so that its identity is nobody else's meanwhile.
    """
    answers: OrderedDict[Hashable, tuple[Thing, Answer]] = OrderedDict()

    @wraps(function)
    def ask(thing: Thing, /, *args: More.args, **keywords: More.kwargs) -> Answer:
        key = (id(thing), *args, *keywords.items())
        known = answers.get(key)
        if known is not None:
            return known[1]
        answers[key] = (thing, function(thing, *args, **keywords))
        if len(answers) > _MOST:
            answers.popitem(last=False)
        return answers[key][1]

    return ask
