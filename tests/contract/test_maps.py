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


@pytest.mark.parametrize("package", ["app/codec", "app/compute", "app/graphs", "app/schemas"])
def test_a_line_for_each_module(package: str) -> None:
    assert set(re.findall(r"^(\w+) {2,}", docstring(package), re.M)) == modules(package)


MAPPED = [
    "engine", "engine/autograd", "engine/control", "engine/eager", "engine/func", "engine/gradcheck",
    "engine/language", "engine/program", "engine/program/gradcheck", "engine/random", "engine/transforms",
]  # fmt: skip


def by_subject(package: str) -> list[str]:
    """The modules of a package in the order in which its docstring lists them."""
    table = docstring(package).partition("needs it:\n\n")[2]
    entries = re.sub(r"^\w+ {2,}", "", re.sub(r"\([^)]*\)", "", table), flags=re.M)
    return [each.strip() for each in re.split(r",| and |\s{2,}|\n", entries) if each.strip()]


def needed(package: str, module: str) -> set[str]:
    """The modules of its package that one of them imports when it is imported."""
    path, name = ROOT / package / module, package.replace("/", ".")
    files = path.glob("*.py") if path.is_dir() else [path.with_suffix(".py")]
    found: set[str] = set()
    for node in (node for file in files for node in ast.parse(file.read_text(encoding="utf-8")).body):
        if isinstance(node, ast.ImportFrom) and node.module == name:
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(f"{name}."):
            found.add(node.module.removeprefix(f"{name}.").split(".")[0])
    return found


@pytest.mark.parametrize("package", MAPPED)
def test_every_module_by_subject(package: str) -> None:
    assert sorted(by_subject(package)) == sorted(modules(package))


@pytest.mark.parametrize(("package", "module"), [(p, m) for p in MAPPED for m in by_subject(p)])
def test_a_module_needs_only_those_listed_before_it(package: str, module: str) -> None:
    listed = by_subject(package)
    assert needed(package, module) <= {*listed[: listed.index(module) + 1]}
