"""The docstring of a package that lists its modules lists all of them, and no others."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def modules(package: str) -> set[str]:
    """The modules and packages inside a package."""
    found = {path.stem for path in (ROOT / package).glob("*.py")} - {"__init__"}
    return found | {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}


def docstring(package: str) -> str:
    text = (ROOT / package / "__init__.py").read_text(encoding="utf-8")
    return text.split('"""')[1]


@pytest.mark.parametrize("package", ["app/codec", "app/compute", "app/schemas"])
def test_a_line_for_each_module(package: str) -> None:
    assert set(re.findall(r"^(\w+) {2,}", docstring(package), re.M)) == modules(package)


def by_subject() -> list[str]:
    """The engine's modules in the order in which its docstring lists them."""
    table = docstring("engine").partition("needs it:\n\n")[2]
    entries = re.sub(r"^\w+ {2,}", "", re.sub(r"\([^)]*\)", "", table), flags=re.M)
    return [each.strip() for each in re.split(r",| and |\s{2,}|\n", entries) if each.strip()]


def needed(module: str) -> set[str]:
    """The modules of the engine that one of them imports when it is imported."""
    path = ROOT / "engine" / module
    files = path.glob("*.py") if path.is_dir() else [path.with_suffix(".py")]
    found: set[str] = set()
    for node in (node for file in files for node in ast.parse(file.read_text(encoding="utf-8")).body):
        if isinstance(node, ast.ImportFrom) and node.module == "engine":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("engine."):
            found.add(node.module.split(".")[1])
    return found


def test_the_engines_modules_by_subject() -> None:
    assert sorted(by_subject()) == sorted(modules("engine"))


@pytest.mark.parametrize("module", by_subject())
def test_a_module_needs_only_those_listed_before_it(module: str) -> None:
    listed = by_subject()
    assert needed(module) <= {*listed[: listed.index(module) + 1]}
