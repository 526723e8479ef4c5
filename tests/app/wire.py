"""Reading a tensor from the wire, for the codec's tests."""

import json
from typing import Any

import numpy as np
import pytest

import engine
from app.codec import read
from app.codec.read import Rules

RULES = Rules(rank=32, elements=2**27, floats=engine.dtype("float32"))


def tensor(value: Any, rules: Rules = RULES) -> engine.Tensor:
    """The tensor that a JSON text, or the JSON of a value, describes."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return read.tensor(raw, rules, ("inputs", "x"))


def refused(value: Any, rules: Rules = RULES) -> engine.errors.EngineError:
    """The engine error with which the value is refused."""
    with pytest.raises(engine.errors.EngineError) as caught:
        tensor(value, rules)
    return caught.value


def array_of(value: engine.Tensor) -> np.ndarray[Any, Any]:
    """The tensor's numbers."""
    return value.detach().numpy()
