"""Arrays as torch prints them: `tensor([[1., 2.]], requires_grad=True)`.

Follows the default print options of torch 2.13 (`torch/_tensor_str.py`): 4 digits, at most 1000
elements in full, 3 at each edge of a longer one, lines of 80 columns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import indent
from typing import Any

import numpy as np

__all__ = ["format_batched", "format_scalar", "format_tensor"]

PRECISION = 4
THRESHOLD = 1000
EDGE_ITEMS = 3
LINE_WIDTH = 80
PREFIX = "tensor("

Array = np.ndarray[Any, np.dtype[Any]]
DType = np.dtype[Any]

FLOAT32: DType = np.dtype(np.float32)


def format_tensor(
    array: Array,
    *,
    requires_grad: bool = False,
    grad_fn: str | None = None,
    default_dtype: DType = FLOAT32,
) -> str:
    """The text of `repr(tensor)` in torch, for an array of any shape and any of the engine's dtypes.

    `grad_fn` is the node's name (`"AddBackward0"`) and is shown instead of `requires_grad`. The dtype
    is shown unless a literal of these values would get it anyway: `default_dtype`, the complex dtype
    that goes with it, int64 and bool; an empty tensor shows every dtype but `default_dtype`.
    """
    suffixes = []
    if array.size == 0 and array.ndim != 1:
        suffixes.append(f"size={array.shape}")
    if not _literal_dtype(array, default_dtype):
        suffixes.append(f"dtype=torch.{array.dtype.name}")
    if grad_fn is not None:
        suffixes.append(f"grad_fn=<{grad_fn}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    return _with_suffixes(PREFIX + _contents(array), suffixes)


def format_batched(text: str, levels: int) -> str:
    """The text of a tensor whose first `levels` axes are those of samples, inside `vmap`."""
    for level in range(1, levels + 1):
        text = f"BatchedTensor(lvl={level}, bdim=0, value=\n{indent(text, '    ')}\n)"
    return text


def format_scalar(array: Array, spec: str = "") -> str:
    """What `format(tensor, spec)` gives for a tensor of shape (): its Python value in that format.

    Raises TypeError for any other shape, as torch does for a non-empty `spec`.
    """
    if array.ndim != 0:
        raise TypeError("unsupported format string passed to Tensor.__format__")
    return format(array.item(), spec)


def _literal_dtype(array: Array, default_dtype: DType) -> bool:
    """Whether the printed values alone tell the dtype."""
    if array.size == 0:
        return bool(array.dtype == default_dtype)
    default_complex = np.complex128 if default_dtype == np.float64 else np.complex64
    return array.dtype in (default_dtype, np.dtype(default_complex), np.dtype(np.int64), np.dtype(np.bool_))


def _with_suffixes(text: str, suffixes: Sequence[str]) -> str:
    """Append `, name=value` pairs, each on a new line where the last one would become too long."""
    parts = [text]
    # Counts two columns more than the line has, as torch does: the place of `, `.
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if column + len(suffix) + 2 > LINE_WIDTH:
            parts.append(",\n" + " " * len(PREFIX) + suffix)
            column = len(PREFIX) + len(suffix)
        else:
            parts.append(", " + suffix)
            column += len(suffix) + 2
    return "".join(parts) + ")"


def _contents(array: Array) -> str:
    """The nested brackets, or the bare number of a 0-dim array."""
    if array.size == 0:
        return "[]"
    summarize = array.size > THRESHOLD
    shown = _edges(array) if summarize else array
    cell: _Column | _ComplexColumn
    if array.dtype.kind == "c":
        cell = _ComplexColumn(_column(shown.real), _column(shown.imag))
    else:
        cell = _column(shown)
    if array.ndim == 0:
        return cell.text(array.item())
    return _block(array, len(PREFIX), summarize, cell)


def _edges(array: Array) -> Array:
    """The elements that a summary shows: the widths and the number format depend on these alone."""
    for axis, size in enumerate(array.shape):
        if size > 2 * EDGE_ITEMS:
            keep = np.r_[0:EDGE_ITEMS, size - EDGE_ITEMS : size]
            array = np.take(array, keep, axis=axis)
    return array


@dataclass(frozen=True, slots=True)
class _Column:
    """How every number of one tensor is written: `spec`, a mark behind finite ones, the width."""

    spec: str
    mark: str
    width: int

    def text(self, value: Any) -> str:
        written = format(value, self.spec) if self.spec else str(value)
        if self.mark and math.isfinite(value):
            written += self.mark
        return written.rjust(self.width)


@dataclass(frozen=True, slots=True)
class _ComplexColumn:
    """Real and imaginary parts have formats of their own; only the real part is padded."""

    real: _Column
    imag: _Column

    @property
    def width(self) -> int:
        return self.real.width + self.imag.width + 1

    def text(self, value: Any) -> str:
        imag = self.imag.text(value.imag).lstrip() + "j"
        sign = "" if imag[0] in "+-" else "+"
        return self.real.text(value.real) + sign + imag


def _column(values: Array) -> _Column:
    """Choose the number format that fits all of `values`.

    Floats are written in scientific notation when the largest is more than 1000 times the smallest,
    or above 1e8, or the smallest below 1e-4 (in magnitude, zeros aside); else as `1.` when all are
    integers, else with 4 digits. Nan and inf choose nothing, and do not widen the column.
    """
    if values.dtype.kind != "f":
        return _Column("", "", max(len(str(value)) for value in values.ravel().tolist()))
    finite = values[np.isfinite(values) & (values != 0)].astype(np.float64)
    if finite.size == 0:
        return _Column(".0f", ".", 1)
    magnitude = np.abs(finite)
    low, high = float(magnitude.min()), float(magnitude.max())
    mark = ""
    if high / low > 1000.0 or high > 1.0e8 or low < 1.0e-4:
        spec = f".{PRECISION}e"
    elif np.array_equal(finite, np.ceil(finite)):
        spec, mark = ".0f", "."
    else:
        spec = f".{PRECISION}f"
    return _Column(spec, mark, max(len(format(value, spec)) for value in finite.tolist()) + len(mark))


def _block(array: Array, indent: int, summarize: bool, cell: _Column | _ComplexColumn) -> str:
    """The brackets of an array of one or more dimensions, its first line at column `indent`."""
    if array.ndim == 1:
        return _row(array, indent, summarize, cell)
    size = len(array)
    if summarize and size > 2 * EDGE_ITEMS:
        chosen = [*range(EDGE_ITEMS), *range(size - EDGE_ITEMS, size)]
    else:
        chosen = list(range(size))
    blocks = [_block(array[index], indent + 1, summarize, cell) for index in chosen]
    if len(chosen) < size:
        blocks.insert(EDGE_ITEMS, "...")
    return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(blocks) + "]"


def _row(array: Array, indent: int, summarize: bool, cell: _Column | _ComplexColumn) -> str:
    """One innermost row, broken into lines of as many cells as fit."""
    if summarize and len(array) > 2 * EDGE_ITEMS:
        cells = [cell.text(value) for value in array[:EDGE_ITEMS].tolist()]
        cells.append(" ...")
        cells += [cell.text(value) for value in array[-EDGE_ITEMS:].tolist()]
    else:
        cells = [cell.text(value) for value in array.tolist()]
    per_line = max(1, (LINE_WIDTH - indent) // (cell.width + 2))
    lines = [", ".join(cells[start : start + per_line]) for start in range(0, len(cells), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
