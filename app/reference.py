"""`python -m app.reference` writes openapi/ and README's settings from the code; `--check` compares."""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pydantic import ByteSize

import engine
from app.codes import CODES
from app.main import create_app
from app.routes.ops import OpDetail, describe
from app.settings import GIB, KIB, MIB, PREFIX, Settings

ROOT = Path(__file__).resolve().parents[1]
GENERATED = "<!-- Written by `make contract`; edits here are lost. -->"


def openapi_json() -> str:
    """The contract as FastAPI serves it."""
    return json.dumps(create_app(Settings()).openapi(), indent=1, ensure_ascii=False) + "\n"


def ops_md() -> str:
    """The catalogue, on paper."""
    ops = engine.catalogue()
    parts = [
        f"{GENERATED}\n",
        f"# Ops\n\n{len(ops)} ops; `GET /ops/{{name}}` answers the same with an example.",
    ]
    for family in sorted({op.family for op in ops}):
        parts.append(f"## {family.title}")
        parts += [_op(describe(op)) for op in ops if op.family == family]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _op(op: OpDetail) -> str:
    lines = [f"### {op.name}\n", f"`{op.signature}`\n", op.summary]
    if op.kinks:
        lines.append(f"\n{op.kinks}")
    if op.deviation:
        lines.append(f"\nUnlike torch: {op.deviation}")
    facts = [("aliases", op.aliases), ("grad_fn", op.grad_fns)]
    shown = [f"{name}: {', '.join(f'`{each}`' for each in values)}" for name, values in facts if values]
    if shown:
        lines.append("\n" + " · ".join(shown))
    return "\n".join(lines)


def errors_md() -> str:
    """The closed list of error codes."""
    intro = (
        "Every error is an `application/problem+json` document (RFC 9457): `type`, `title`, `status`,\n"
        "`detail`, `code`, and `errors: [{pointer, node, op, expected, actual}]` where they apply.\n"
        "These are all the codes."
    )
    rows = ((f"`{code.name}`", str(code.status), code.title, code.description) for code in CODES.values())
    return f"{GENERATED}\n\n# Errors\n\n{intro}\n\n" + _table(("code", "status", "title", "when"), rows)


def settings_md() -> str:
    """Every setting."""
    intro = (
        "Each is an environment variable. Sizes may have a unit (`64MiB`); an empty variable counts as unset."
    )
    return f"{GENERATED}\n\n# Settings\n\n{intro}\n\n{settings_table()}"


def settings_table() -> str:
    """The settings as a table, in the order in which they are declared."""
    rows = (
        (f"`{PREFIX}{name.upper()}`", _shown(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    )
    return _table(("variable", "default", "meaning"), rows)


def readme() -> str:
    """README.md with its table of settings anew."""
    return _between("README.md", "settings", settings_table())


def _between(name: str, mark: str, table: str) -> str:
    """The file with a table between its marks anew."""
    begin, end = f"<!-- {mark}:begin -->", f"<!-- {mark}:end -->"
    before, begins, rest = (ROOT / name).read_text("utf-8").partition(begin)
    _, ends, after = rest.partition(end)
    if not (begins and ends):
        raise SystemExit(f"{name} lacks {begin} … {end}")
    return f"{before}{begin}\n\n{table}\n{end}{after}"


def deviations() -> str:
    """docs/deviations.md with the table of what the ops themselves declare anew."""
    rows = ((f"`{op.name}`", op.deviation) for op in engine.catalogue() if op.deviation)
    return _between("docs/deviations.md", "ops", _table(("op", "difference"), rows))


FILES: dict[str, Callable[[], str]] = {
    "openapi/openapi.json": openapi_json,
    "openapi/ops.md": ops_md,
    "openapi/errors.md": errors_md,
    "openapi/settings.md": settings_md,
    "README.md": readme,
    "docs/deviations.md": deviations,
}


def stale() -> dict[str, tuple[str, str]]:
    """The files that are not what the code says: (what stands there, what should)."""
    found = {}
    for name, write in FILES.items():
        path = ROOT / name
        there = path.read_text("utf-8") if path.exists() else ""
        if there != (wanted := write()):
            found[name] = (there, wanted)
    return found


def main(arguments: list[str] | None = None) -> int:
    """Write what is stale, or with --check show it and answer 1."""
    parser = argparse.ArgumentParser(prog="python -m app.reference", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="change nothing; fail with a diff if anything is stale"
    )
    check = parser.parse_args(arguments).check
    found = stale()
    for name, (there, wanted) in found.items():
        if check:
            old, new = there.splitlines(keepends=True), wanted.splitlines(keepends=True)
            sys.stdout.writelines(difflib.unified_diff(old, new, name, f"{name} (generated)"))
        else:
            (ROOT / name).parent.mkdir(exist_ok=True)
            (ROOT / name).write_text(wanted, "utf-8")
            print(f"wrote {name}")
    if check and found:
        print(f"stale: {', '.join(found)}; run `make contract`", file=sys.stderr)
    return 1 if check and found else 0


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *(tuple(cell.replace("|", r"\|") for cell in row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _shown(value: Any) -> str:
    if isinstance(value, ByteSize):
        for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
            if value >= unit and value % unit == 0:
                return f"`{value // unit}{name}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`{','.join(value)}`" if value else "none"
    return f"`{value}`"


if __name__ == "__main__":
    sys.exit(main())
