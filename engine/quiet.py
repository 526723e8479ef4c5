"""Floating-point arithmetic that warns of nothing, as torch's does: nan and inf are results like any other.

`numpy.errstate` costs as much as two calls on a small array. A context of its own, in which numpy was told
once, costs a tenth of that.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import Any

import numpy as np


class _Quiet(threading.local):
    """A thread's context, and whether it is in it."""

    def __init__(self) -> None:
        self.context = contextvars.Context()
        self.context.run(np.seterr, all="ignore")
        self.inside = False


_quiet = _Quiet()


def quietly(call: Callable[..., Any], *args: Any) -> Any:
    """`call(*args)`, without warnings of numpy's. Nothing that the caller's context says is known inside:
    what is called may not ask for the default dtype or the current builder."""
    if _quiet.inside:
        return call(*args)
    _quiet.inside = True
    try:
        return _quiet.context.run(call, *args)
    finally:
        _quiet.inside = False
