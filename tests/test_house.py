"""The house rules that no linter knows: what may stand in which file, and what may be imported when."""

from __future__ import annotations

import ast
import csv
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import ashore

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "ashore"
MODULES = sorted(SOURCE.rglob("*.py"))
LOCKS = sorted(ROOT.glob("requirements*.lock"))
BUILT = {".git", ".venv", "build", "dist", "site", ".hypothesis", ".benchmarks", "__pycache__"}


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def found(pattern: str, path: Path) -> list[str]:
    """Every line of a file that matches, as file:line: text."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [f"{named(path)}:{n}: {line.strip()}" for n, line in enumerate(lines, 1) if re.search(pattern, line)]


def project_files() -> Iterator[Path]:
    """The project's own text files: what git knows or would add, or without git whatever is not built."""
    listing = (
        subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=False,
        )
        if (ROOT / ".git").exists()
        else None
    )
    if listing is not None and listing.returncode == 0:
        paths = [ROOT / name for name in listing.stdout.decode().split("\0") if name]
    else:
        paths = [p for p in ROOT.rglob("*") if not any(x in BUILT or x.endswith("_cache") for x in p.parts)]
    for path in sorted(paths):
        if path.is_file() and b"\0" not in path.read_bytes()[:4096]:
            yield path


def exists(floor: str) -> bool:
    spec = importlib.util.find_spec(f"ashore.{floor}")
    return spec is not None and spec.origin is not None


def fresh(program: str) -> list[str]:
    """The words a program prints in an interpreter of its own."""
    surroundings = {**os.environ, "PYTHONPATH": str(SOURCE.parent)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=surroundings
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def country_codes() -> set[str]:
    with (SOURCE / "data" / "rules" / "countries.csv").open(encoding="utf-8", newline="") as file:
        return {row["code"] for row in csv.DictReader(file)}


# Rules are data: the engine knows no heading and no country


def test_engine_names_no_heading() -> None:
    assert [hit for path in MODULES for hit in found(r"9903\.", path)] == []


def test_engine_quotes_no_country() -> None:
    codes = country_codes()
    assert len(codes) > 240
    quoted = rf"""(["'`])({"|".join(sorted(codes))})\1"""
    assert [hit for path in MODULES for hit in found(quoted, path)] == []


def test_engine_hides_no_list_of_countries() -> None:
    codes = country_codes()
    hits = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words = re.split(r"[\s,;|]+", node.value.strip())
                if set(words) <= codes:
                    hits.append(f"{named(path)}:{node.lineno}: {node.value}")
    assert hits == []


# What is imported when


@pytest.mark.parametrize("floor", ["errors", "tables", "rules", "duties"])
def test_lower_floors_import_nothing_heavy(floor: str) -> None:
    if not exists(floor):
        pytest.skip(f"ashore.{floor} does not exist")
    program = (
        f"import sys, ashore.{floor}\n"
        "heavy = {'polars', 'numpy', 'highspy', 'altair', 'vl_convert', 'pandas', 'pyarrow'}\n"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    assert fresh(program) == []


def test_importing_the_package_imports_no_floor() -> None:
    assert fresh("import sys, ashore; print(*(m for m in sys.modules if m.startswith('ashore.')))") == []


@pytest.mark.parametrize("name", ashore.__all__)
def test_public_name_is_there(name: str) -> None:
    home = ashore._HOMES.get(name, name)
    if not exists(home):
        pytest.skip(f"ashore.{home} does not exist")
    assert getattr(ashore, name) is not None


def test_public_names_are_listed_once() -> None:
    assert len(ashore.__all__) == len(set(ashore.__all__))
    assert set(ashore.__all__) == {*ashore._HOMES, *ashore._FLOORS}


def test_unknown_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'asses'"):
        ashore.asses  # noqa: B018


# What may stand in the project's files


def test_no_paths_of_a_machine() -> None:
    roots = "|".join(["work", "root", r"home/\w+", r"Users/\w+", r"tmp/\w+"])
    pattern = rf"""(?:^|[\s"'`=(:,])/(?:{roots})(?:/|\b)"""
    assert [hit for path in project_files() for hit in found(pattern, path)] == []


def test_only_the_check_script_looks_beside_the_checkout() -> None:
    outside = r"\.\./" + "shared"
    hits = [hit for path in project_files() if named(path) != ".ci/run" for hit in found(outside, path)]
    assert hits == []


def test_files_that_record_addresses_of_indexes_are_absent() -> None:
    names = {named(path) for path in project_files()}
    assert not {name for name in names if re.search(r"(^|/)(uv\.lock|pylock.*\.toml)$", name)}


# The lock files


def requirements(lock: Path) -> dict[str, list[str]]:
    """Pinned packages of a lock file, each with the lines that follow it."""
    pins: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in lock.read_text(encoding="utf-8").splitlines():
        if line and not line[0].isspace():
            lines = pins.setdefault(line.rstrip(" \\"), [])
        else:
            lines.append(line.strip())
    return pins


def test_there_are_lock_files() -> None:
    assert [path.name for path in LOCKS] == [
        "requirements-dev.lock",
        "requirements-docs.lock",
        "requirements.lock",
    ]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_lock_pins_and_hashes_without_addresses(lock: Path) -> None:
    assert found(r"://|^-|index-url|find-links|@ ", lock) == []
    pins = requirements(lock)
    assert [pin for pin in pins if not re.match(r"[a-z0-9-]+==[\w.]+( ; .+)?$", pin)] == []
    assert [pin for pin, lines in pins.items() if not any(x.startswith("--hash=sha256:") for x in lines)] == []


def test_lock_holds_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    core = [*project["project"]["dependencies"], *extras["xlsx"], *project["dependency-groups"]["build"]]
    asked = {
        "requirements.lock": core,
        "requirements-dev.lock": [*core, *extras["dev"]],
        "requirements-docs.lock": extras["docs"],
    }
    for name, wanted in asked.items():
        pinned = {pin.split("==")[0] for pin in requirements(ROOT / name)}
        assert {re.split(r"[<>=~! \[;]", item)[0] for item in wanted} - pinned == set(), name


def test_lock_of_the_checks_agrees_with_the_users_lock() -> None:
    checks, users = (
        {pin.partition(" ")[0] for pin in requirements(ROOT / name)}  # the version, whatever the marker
        for name in ("requirements-dev.lock", "requirements.lock")
    )
    assert users <= checks


# The documentation


def test_every_page_is_in_the_navigation() -> None:
    listed = set(re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")))
    assert listed == {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}


def test_version_is_in_the_changelog() -> None:
    assert found(rf"^## \[{re.escape(ashore.__version__)}\]", ROOT / "CHANGELOG.md")
