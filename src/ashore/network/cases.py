"""The cases that ship with the package: supply-network folders a user can run as they are or copy and edit."""

from __future__ import annotations

import shutil
from difflib import get_close_matches
from pathlib import Path

from ashore.errors import Fault, FaultyInput, writing

SHIPPED = Path(__file__).parent.parent / "data" / "cases"
DEFAULT = "rigs-2026"


def names() -> tuple[str, ...]:
    """Names of the shipped cases."""
    return tuple(sorted(path.parent.name for path in SHIPPED.glob("*/network.toml")))


def title(name: str) -> str:
    """What a shipped case calls itself in network.toml."""
    import tomllib

    document = tomllib.loads((SHIPPED / name / "network.toml").read_text(encoding="utf-8"))
    return str(document.get("name", name))


def find(folder: Path | str | None) -> Path:
    """The folder a user means: a path, the name of a shipped case, or the default case. Raises FaultyInput."""
    if folder is None:
        return SHIPPED / DEFAULT
    path = Path(folder)
    if path.is_dir():
        return path
    if str(folder) in names():
        return SHIPPED / str(folder)
    near = get_close_matches(str(folder), names(), n=1)
    hint = f"Did you mean the shipped case {near[0]!r}? " if near else ""
    raise FaultyInput(
        [
            Fault(
                str(folder),
                "no such folder or shipped case.",
                f"{hint}`ashore case list` names the shipped cases.",
            )
        ]
    )


def copy(name: str, to: Path) -> Path:
    """Copies a shipped case into a new folder and returns it. Raises FaultyInput if that folder exists."""
    source = find(name)
    if to.exists():
        raise FaultyInput([Fault(str(to), "something of that name is there already.", "Name a new folder.")])
    with writing(to, ""):
        shutil.copytree(source, to, ignore=shutil.ignore_patterns("__pycache__"))
    return to
