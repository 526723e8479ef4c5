"""Printed arrays against torch 2.13's own text, character for character (`tests/oracle/printing.py`)."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.eager.printing import format_scalar, format_tensor

RECORDS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "data" / "printing.json").read_text())
IDS = [f"{record['dtype']}-{record['shape']}-{index}" for index, record in enumerate(RECORDS)]


def array_of(record: dict[str, Any]) -> np.ndarray:
    values = np.frombuffer(base64.b64decode(record["data"]), np.dtype(record["dtype"]).newbyteorder("<"))
    return np.resize(values.astype(record["dtype"]), record["shape"])


@pytest.mark.parametrize("record", RECORDS, ids=IDS)
def test_prints_as_torch_does(record: dict[str, Any]) -> None:
    written = format_tensor(
        array_of(record),
        requires_grad=record.get("requires_grad", False),
        grad_fn=record.get("grad_fn"),
        default_dtype=np.dtype(record.get("default_dtype", "float32")),
    )
    assert written == record["text"]


def test_the_table_reaches_every_rule() -> None:
    texts = [record["text"] for record in RECORDS]
    assert len(texts) > 400
    for piece in (
        "tensor([]",
        "size=(",
        "...",
        "nan",
        "inf",
        "e+",
        "e-",
        "grad_fn=<",
        "requires_grad=True",
        "j",
        "-0.",
    ):
        assert any(piece in text for text in texts), piece
    for record in RECORDS:
        assert not ("grad_fn=" in record["text"] and "requires_grad" in record["text"])
    for suffix in ("dtype=", "grad_fn=", "requires_grad="):
        assert any(f",\n       {suffix}" in text for text in texts), f"no text breaks before {suffix}"
    assert {record["dtype"] for record in RECORDS} == {
        *("bool", "uint8", "int8", "int16", "int32", "int64"),
        *("float16", "float32", "float64", "complex64", "complex128"),
    }


def test_strides_do_not_show() -> None:
    array = np.arange(12.0).reshape(3, 4)
    assert format_tensor(array.T, default_dtype=array.dtype) == format_tensor(
        np.ascontiguousarray(array.T), default_dtype=array.dtype
    )


@pytest.mark.parametrize(
    ("value", "spec", "text"),
    [
        (np.float32(1.5), "", "1.5"),
        (np.float32(0.1), "", "0.10000000149011612"),
        (np.float16(2), ".3f", "2.000"),
        (np.int64(7), "05d", "00007"),
        (np.bool_(True), "", "True"),
        (np.complex64(1 - 2j), ".1f", "1.0-2.0j"),
    ],
)
def test_format_of_a_scalar_is_that_of_its_python_value(value: np.generic, spec: str, text: str) -> None:
    assert format_scalar(np.asarray(value), spec) == text


def test_format_of_more_dimensions_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^unsupported format string passed to Tensor\.__format__$"):
        format_scalar(np.zeros((1,)), ".2f")
