"""From `module:attribute` to the object that it names."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from types import ModuleType
from typing import Any

from instep.conformance.errors import UsageError


def locate(target: str) -> Any:
    """The object that `module:attribute` names; the attribute may have dots.

    The current directory is importable, as it is under `python -m`.

    Raises:
        UsageError: the text is no such name, the module cannot be imported, or lacks the attribute.
    """
    module_name, _, path = target.partition(":")
    if not module_name or not path:
        raise UsageError(f"a subject is module:attribute, not {target!r}{_with_colon(target)}")
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    found: Any = _import(module_name, target)
    for step, name in enumerate(path.split(".")):
        try:
            found = getattr(found, name)
        except AttributeError:
            holder = ".".join([module_name, *path.split(".")[:step]])
            raise UsageError(f"{holder} has no attribute {name!r}{_nearest(name, found)}") from None
    return found


def _import(name: str, target: str) -> ModuleType:
    """Whatever a module does while it is imported, the command answers in one line."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            where = "it is neither installed nor in the current directory"
            raise UsageError(f"{target}: there is no module {error.name}: {where}") from None
        raise UsageError(f"{target}: importing {name} needs {error.name}: {error}") from error
    except (Exception, SystemExit) as error:
        raised = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(": ")
        raise UsageError(f"{target}: importing {name} raised {raised}") from error


def _with_colon(target: str) -> str:
    module, dot, attribute = target.rpartition(".")
    return f"; did you mean {module}:{attribute}?" if dot and module and attribute else ""


def _nearest(name: str, holder: object) -> str:
    near = difflib.get_close_matches(name, dir(holder), n=3)
    return f"; nearest: {', '.join(near)}" if near else ""
