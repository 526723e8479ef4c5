"""Rules of the tree as a whole: who imports whom, what is never called, what the files promise each other."""

import ast
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for package in ("engine", "app") for path in (ROOT / package).rglob("*.py"))
ENGINE = [path for path in SOURCES if path.is_relative_to(ROOT / "engine")]
APP = [path for path in SOURCES if path.is_relative_to(ROOT / "app")]
LOCKS = ("requirements.lock", "requirements-dev.lock")
PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)", re.M)

MAX_LINES = 300
ON_FIRST_USE = {"scipy", "threadpoolctl"}
# Each of these runs or rebuilds something that a request could have named.
NEVER_CALLED = {"eval", "exec", "compile", "__import__", "breakpoint", "input"}
NEVER_IMPORTED = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "numexpr", "torch"}
NEVER_ATTRIBUTES = {"np.load", "np.fromfile", "np.memmap", "np.genfromtxt", "os.system", "os.popen"}


class Import(NamedTuple):
    """`from module import name`, or `import module` with an empty name."""

    module: str
    name: str
    line: int
    lazy: bool


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(path: Path) -> Iterator[Import]:
    """Every import of a file, relative ones made absolute; `lazy` inside a function."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    stack: list[tuple[ast.AST, bool]] = [(tree(path), False)]
    while stack:
        node, lazy = stack.pop()
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, "", node.lineno, lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(package[: len(package) + 1 - node.level]) if node.level else ""
            module = ".".join(part for part in (above, node.module) if part)
            yield from (Import(module, alias.name, node.lineno, lazy) for alias in node.names)
        inside = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        stack.extend((child, inside) for child in ast.iter_child_nodes(node))


def is_module(dotted: str) -> bool:
    """Whether the tree has a module or package of that name."""
    path = ROOT.joinpath(*dotted.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def own_files() -> Iterator[Path]:
    """The files of the project: neither environments nor caches nor what building leaves behind."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name
            for name in folders
            if name == ".ci" or not (name.startswith(".") or name.endswith((".egg-info", "__pycache__")))
        ]
        yield from (Path(folder, name) for name in names)


def text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:  # stored arrays
        return ""


def fenced_shell(markdown: str) -> str:
    return "\n".join(re.findall(r"```sh\n(.*?)```", markdown, re.S))


# ---- imports --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ENGINE, ids=relative)
def test_the_engine_imports_numpy_and_the_standard_library(path: Path) -> None:
    for found in imports(path):
        top = found.module.split(".")[0]
        if top in ON_FIRST_USE:
            assert found.lazy, f"{relative(path)}:{found.line} imports {top} before its first use"
        else:
            assert top in {"engine", "numpy"} | sys.stdlib_module_names, (
                f"{relative(path)}:{found.line} imports {top}"
            )


@pytest.mark.parametrize("path", ENGINE, ids=relative)
def test_only_the_package_roots_know_a_family_of_ops(path: Path) -> None:
    if path.is_relative_to(ROOT / "engine" / "ops") or path == ROOT / "engine" / "__init__.py":
        return
    for found in imports(path):
        family = found.module.startswith("engine.ops.") or (
            found.module == "engine.ops" and is_module(f"engine.ops.{found.name}")
        )
        assert not family, f"{relative(path)}:{found.line} imports the family {found.module} {found.name}"


@pytest.mark.parametrize("path", APP, ids=relative)
def test_the_app_reaches_the_engine_through_its_root(path: Path) -> None:
    import engine

    for found in imports(path):
        where = f"{relative(path)}:{found.line}"
        assert not found.module.startswith("engine."), f"{where} imports {found.module}"
        if found.module == "engine" and found.name and is_module(f"engine.{found.name}"):
            assert found.name in engine.__all__, f"{where} imports engine.{found.name}, which is not public"


@pytest.mark.parametrize("path", APP, ids=relative)
def test_nothing_in_the_app_imports_the_application(path: Path) -> None:
    if relative(path) in {"app/reference.py", "app/__main__.py"}:
        return
    for found in imports(path):
        whole = f"{found.module}.{found.name}"
        assert not f"{whole}.".startswith("app.main."), f"{relative(path)}:{found.line} imports app.main"


# ---- what is never done ---------------------------------------------------------------------------


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_nothing_is_evaluated_unpickled_or_read_from_a_name(path: Path) -> None:
    for found in imports(path):
        assert found.module.split(".")[0] not in NEVER_IMPORTED, (
            f"{relative(path)}:{found.line} imports {found.module}"
        )
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            where = f"{relative(path)}:{node.lineno}"
            called = ast.unparse(node.func).replace("numpy.", "np.")
            assert called not in NEVER_CALLED | NEVER_ATTRIBUTES, f"{where} calls {called}"
            assert all(keyword.arg != "allow_pickle" for keyword in node.keywords), f"{where} allows pickles"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_file_is_short_enough_to_read(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_LINES, f"{relative(path)} has {lines} lines, allowed are {MAX_LINES}"


def test_torch_is_imported_by_the_oracles_the_benchmarks_and_the_fuzzer_alone() -> None:
    torch_import = re.compile(r"^\s*(import torch\b|from torch[. ])", re.M)
    found = {
        relative(path)
        for path in own_files()
        if path.suffix == ".py" and torch_import.search(text_of(path))
        if not relative(path).startswith(("tests/oracle/", "bench/", "tests/fuzz/peer.py"))
    }
    assert not found


def test_no_file_names_a_package_index() -> None:
    hosts = re.compile("|".join(map(re.escape, ("pypi" + ".org", "python" + "hosted.org", "npmjs" + ".org"))))
    assert not [relative(path) for path in own_files() if hosts.search(text_of(path))]


# ---- dependencies ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_is_pinned_with_its_hashes_and_no_address(name: str) -> None:
    entries = re.split(r"\n(?=[a-z])", (ROOT / name).read_text(encoding="utf-8"))
    pinned = [entry for entry in entries if not entry.startswith("#")]
    assert pinned
    for entry in pinned:
        assert PINNED.match(entry), entry
        assert "--hash=sha256:" in entry, entry
        assert "://" not in entry, entry
        assert "--find-links" not in entry, entry


def test_the_locks_are_those_of_the_project_file() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    run, dev = (dict(PINNED.findall((ROOT / name).read_text(encoding="utf-8"))) for name in LOCKS)
    for wanted, locked in ((project["dependencies"], run), (project["optional-dependencies"]["dev"], dev)):
        for requirement in map(Requirement, wanted):
            assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)]), requirement
    assert run.items() <= dev.items()


# ---- the files around the code --------------------------------------------------------------------


def test_the_image_runs_as_a_number_and_stops_on_a_signal() -> None:
    docker = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"^USER (\d+)", docker, re.M)[-1] != "0"
    assert re.search(r'^CMD \["python", "-m", "app"\]$', docker, re.M)
    assert re.search(r'^HEALTHCHECK [^\n]*\\\n\s+CMD \["', docker, re.M)
    assert "--require-hashes" in docker
    assert "<<" not in docker
    assert not docker.lower().startswith("# syntax")


def test_the_compose_file_takes_away_what_the_service_does_not_need() -> None:
    compose = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")
    for line in ("read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", "mem_limit:", "pids_limit:"):
        assert line in compose


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.findall(r"^\.PHONY: (.*)$", makefile, re.M)[0].split()
    described = re.findall(r"^([a-z]+):.*## ", makefile, re.M)
    assert sorted(phony) == sorted(described)


@pytest.mark.parametrize("name", ["README.md", "SECURITY.md", "CHANGELOG.md"])
def test_what_the_documents_point_at_exists(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^\s*make ([a-z]+)", fenced_shell(text), re.M) + re.findall(
        r"`make ([a-z]+)`", text
    ):
        assert re.search(rf"^{target}:", makefile, re.M), f"make {target}"
    inline = re.sub(r"```.*?```", "", text, flags=re.S)
    files = re.findall(r"`([\w.-]+/[\w./-]*|[\w-]+\.(?:toml|lock|md))`", inline)
    for target in files + re.findall(r"\]\((?!https?:)([^)#]+)\)", inline):
        assert target.startswith("/") or (ROOT / target).exists(), target


def test_there_is_one_version() -> None:
    import app

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert app.__version__ == project["version"]


def test_both_packages_are_typed_and_the_licence_is_whole() -> None:
    assert (ROOT / "engine" / "py.typed").is_file()
    assert (ROOT / "app" / "py.typed").is_file()
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert licence.lstrip().startswith("Apache License")
    assert "END OF TERMS AND CONDITIONS" in licence
