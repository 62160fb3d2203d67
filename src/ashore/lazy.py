"""Names of a package that are imported when first used, so that a verb does not pay for what it does not need."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Collection, Mapping


def first_use(package: str, name: str, homes: Mapping[str, str], modules: Collection[str] = ()) -> object:
    """What the ``__getattr__`` of a package returns: one of its ``modules``, or a name from its home (name → module).

    Raises AttributeError for any other name.
    """
    if name in modules:
        return importlib.import_module(f"{package}.{name}")
    if name not in homes:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{package}.{homes[name]}"), name)
    setattr(sys.modules[package], name, value)
    return value
