"""Independent implementations that every specification is held against, a file for each spec.

A file `<spec>.py` binds `SOURCES`. A source is torch's own class, somebody else's package, or a
transcription of a paper's algorithm box; none of it is generated from the spec.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Source:
    """One implementation, and the dialect that it has to be in step with.

    Attributes:
        dialect: `rmsprop/torch`, or a spec expression.
        subject: `module:attribute`, or a class of the file itself.
        keywords: bound with functools.partial: what makes this class that dialect.
        hyperparameters: one configuration that runs, as `check` takes it.
        fixed: keywords that must not be varied.
        rename: {spec name: subject's name} where inference cannot know.
        state: {spec state: subject's key}.
        lacks: abilities that it says it does not have.
        defects: {check, without the spec's name: what this source gets wrong}; exactly these MUST
            checks fail. A defect of the equations themselves disqualifies a source.
        paper: the algorithm box that a transcription copies.
        package: the package that a class or function of the file does no more than put together.
    """

    dialect: str
    subject: Any
    keywords: Mapping[str, Any] = field(default_factory=dict)
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    fixed: Sequence[str] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    state: Mapping[str, str] | None = None
    lacks: Sequence[str] = ()
    defects: Mapping[str, str] = field(default_factory=dict)
    paper: str = ""
    package: str = ""

    def load(self) -> Any:
        """What `check` gets."""
        found = self.subject
        if isinstance(found, str):
            module, _, attribute = found.partition(":")
            found = getattr(importlib.import_module(module), attribute)
        return functools.partial(found, **self.keywords) if self.keywords else found

    @property
    def origin(self) -> str:
        """What makes two sources independent: the package, or the paper."""
        if isinstance(self.subject, str):
            return self.subject.partition(":")[0].partition(".")[0]
        if self.package:
            return self.package
        return f"paper: {self.paper}"

    @property
    def name(self) -> str:
        """How a test calls it."""
        subject = self.subject if isinstance(self.subject, str) else self.subject.__name__
        bound = ",".join(f"{k}={v}" for k, v in self.keywords.items())
        return f"{self.dialect}-{subject}" + (f"({bound})" if bound else "")

    def check_keywords(self) -> dict[str, Any]:
        """Keywords of `check`."""
        return {
            "hyperparameters": dict(self.hyperparameters),
            "fixed": tuple(self.fixed),
            "rename": dict(self.rename),
            "state": self.state,
            "lacks": tuple(self.lacks),
        }


def all_sources() -> dict[str, tuple[Source, ...]]:
    """Sources by the name of their file."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("test_"):
            loaded = importlib.import_module(f"{__name__}.{module.name}")
            found[module.name] = tuple(loaded.SOURCES)
    return found
