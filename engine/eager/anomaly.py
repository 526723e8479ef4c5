"""Anomaly mode: a backward that makes a NaN is an error, and says which forward call it belongs to.

While the mode is on, a node keeps where in the caller's code it was made, and the node whose backward made
it, if one did.
"""

from __future__ import annotations

import contextvars
import traceback
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from engine.errors import AnomalyError

_ENGINE = str(Path(__file__).resolve().parents[1])
_NO_TRACE = (
    "No forward pass information available. Enable detect anomaly during forward pass for more information."
)


class _Mode(NamedTuple):
    on: bool
    check_nan: bool


class Origin(NamedTuple):
    """Where a node was made: the caller's frames as text, and the node whose backward was running."""

    frames: str
    induced_by: Any


_OFF = _Mode(False, True)
_mode: contextvars.ContextVar[_Mode] = contextvars.ContextVar("anomaly", default=_OFF)
_running: contextvars.ContextVar[Any] = contextvars.ContextVar("running", default=None)


def is_anomaly_enabled() -> bool:
    """Whether anomaly mode is on."""
    return _mode.get().on


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly mode looks for NaN."""
    return _mode.get().check_nan


class set_detect_anomaly:
    """Anomaly mode on or off, from the call on or inside a block. With `check_nan` a NaN is an error."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = _mode.get()
        _mode.set(_Mode(mode, check_nan))

    def __enter__(self) -> None:
        """The mode is set by the call."""

    def __exit__(self, *_: object) -> None:
        _mode.set(self._before)


class detect_anomaly:
    """Anomaly mode inside a block."""

    def __init__(self, check_nan: bool = True) -> None:
        self._before, self._check_nan = _mode.get(), check_nan
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be "
            "enabled for debugging.",
            stacklevel=2,
        )

    def __enter__(self) -> None:
        _mode.set(_Mode(True, self._check_nan))

    def __exit__(self, *_: object) -> None:
        _mode.set(self._before)


def origin() -> Origin | None:
    """What a node made now keeps; None unless the mode is on."""
    if not _mode.get().on:
        return None
    frames = traceback.extract_stack()
    while frames and frames[-1].filename.startswith(_ENGINE):
        frames.pop()
    return Origin("".join(traceback.format_list(frames)), _running.get())


def watched(node: Any, gradients: list[Any], F: Any) -> Any:
    """What `node.run` gives; a NaN in it is an error, and an error in it is told with the node's origin."""
    token = _running.set(node)
    try:
        found = node.run(gradients, F)
        if _mode.get().check_nan:
            _check(node, found)
    except Exception:
        _tell(node)
        raise
    finally:
        _running.reset(token)
    return found


def _check(node: Any, found: list[Any]) -> None:
    for number, each in enumerate(found):
        if each is not None and np.isnan(each.array).any():
            raise AnomalyError(f"Function '{node.name()}' returned nan values in its {number}th output.")


def _tell(node: Any) -> None:
    """Warn of where the node was made, and the nodes whose backward led to it."""
    start, reason = "Error detected in", "that caused the error"
    while node is not None:
        made = node.origin
        trace = _NO_TRACE if made is None else f"Traceback of forward call {reason}:\n{made.frames}"
        warnings.warn(f"{start} {node.name()}. {trace}", stacklevel=2)
        start, reason = "\n\nPrevious calculation was induced by", "that induced the previous calculation"
        node = made and made.induced_by
