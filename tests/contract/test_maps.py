"""The docstring of a package that lists its modules lists all of them, and no others."""

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


def test_the_engines_modules_by_subject() -> None:
    table = docstring("engine").partition("needs it:\n\n")[2]
    entries = re.sub(r"^\w+ {2,}", "", re.sub(r"\([^)]*\)", "", table), flags=re.M)
    listed = re.split(r",| and |\s{2,}|\n", entries)
    assert {each.strip() for each in listed} - {""} == modules("engine")
