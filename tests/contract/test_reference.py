"""What is committed is what the code says."""

from pathlib import Path

import pytest

from app import reference


@pytest.mark.parametrize("name", reference.FILES)
def test_committed_is_generated(name: str) -> None:
    committed = (reference.ROOT / name).read_text("utf-8")
    assert committed == reference.FILES[name](), f"{name} is stale; run `make contract`"


@pytest.mark.parametrize("name", reference.FILES)
def test_generating_twice_gives_the_same(name: str) -> None:
    assert reference.FILES[name]() == reference.FILES[name]()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty tree that has nothing but files with marks."""
    (tmp_path / "README.md").write_text("a\n<!-- settings:begin -->\nold\n<!-- settings:end -->\nz\n")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/deviations.md").write_text("<!-- ops:begin -->\n<!-- ops:end -->\n")
    monkeypatch.setattr(reference, "ROOT", tmp_path)
    return tmp_path


def test_check_shows_what_is_stale_and_changes_nothing(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reference.main(["--check"]) == 1
    said = capsys.readouterr()
    assert "+| `GRADWIRE_PORT` | `8000` |" in said.out
    assert "-old" in said.out
    assert said.err.endswith("docs/deviations.md; run `make contract`\n")
    assert not (tree / "openapi").exists()


def test_writing_makes_the_check_pass(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reference.main([]) == 0
    assert sorted(path.name for path in (tree / "openapi").iterdir()) == [
        "errors.md",
        "openapi.json",
        "ops.md",
        "settings.md",
    ]
    text = (tree / "README.md").read_text()
    assert text.startswith("a\n<!-- settings:begin -->\n\n| variable | default | meaning |\n")
    assert text.endswith("|\n\n<!-- settings:end -->\nz\n")
    assert "| `nn.functional.gelu` | at ±inf" in (tree / "docs/deviations.md").read_text()
    assert reference.main(["--check"]) == 0
    (tree / "openapi" / "errors.md").write_text("edited by hand")
    assert reference.main(["--check"]) == 1


def test_a_readme_without_its_marks_is_refused(tree: Path) -> None:
    (tree / "README.md").write_text("nothing")
    with pytest.raises(SystemExit, match="settings:begin"):
        reference.readme()
