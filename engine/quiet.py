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


class _Own:
    """A thread's context, and whether it is in it."""

    __slots__ = ("inside", "run")

    def __init__(self) -> None:
        context = contextvars.Context()
        context.run(np.seterr, all="ignore")
        self.run = context.run
        self.inside = False


class _Quiet(threading.local):
    def __init__(self) -> None:
        self.own = _Own()


_quiet = _Quiet()


def quietly(call: Callable[..., Any], *args: Any) -> Any:
    """`call(*args)`, without warnings of numpy's. Nothing that the caller's context says is known inside:
    what is called may not ask for the default dtype or the current builder."""
    own = _quiet.own
    if own.inside:
        return call(*args)
    own.inside = True
    try:
        return own.run(call, *args)
    finally:
        own.inside = False
