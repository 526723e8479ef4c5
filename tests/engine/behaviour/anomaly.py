"""Anomaly mode: which NaN is an error, and how the node that made it is told."""

import warnings
from collections.abc import Callable
from typing import Any

from tests.engine.behaviour import Session


def _warned(s: Session, call: Callable[[], Any]) -> None:
    """Say what `call` raises, and its warnings: whether frames are shown, not which."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        s.refused(call)
    for each in caught:
        lines = str(each.message).splitlines()
        shown = [line for line in lines if line and not line.startswith(("  ", " ("))]
        s(
            each.category.__name__,
            [line.partition(" (Triggered")[0] for line in shown],
            "File" in str(each.message),
        )


def _leaf(s: Session, *values: float) -> Any:
    return s.torch.tensor([*values], requires_grad=True)


def a_nan_is_an_error(s: Session) -> None:
    t = s.torch

    def run() -> None:
        with t.autograd.set_detect_anomaly(True):
            (_leaf(s, 0.0, 1.0).sqrt() * 0).sum().backward()

    _warned(s, run)
    with t.autograd.set_detect_anomaly(True):
        x = _leaf(s, 0.0, 1.0)
        x.sqrt().sum().backward()
        s(x.grad)
        y = _leaf(s, 0.0, 1.0)
        _warned(s, lambda: (x / y).sum().backward())
        _warned(s, lambda: (x * 2).backward(t.tensor([float("nan"), 1.0])))
        x.register_hook(lambda g: g * float("nan"))
        x.sum().backward()
        s(x.grad)


def without_looking_for_nan(s: Session) -> None:
    with s.torch.autograd.set_detect_anomaly(True, check_nan=False):
        x = _leaf(s, -1.0, 1.0)
        x.sqrt().sum().backward()
        s(x.grad)


def the_forward_pass_was_not_watched(s: Session) -> None:
    y = _leaf(s, -1.0, 1.0).sqrt().sum()
    with s.torch.autograd.set_detect_anomaly(True):
        _warned(s, y.backward)


def any_error_is_told(s: Session) -> None:
    with s.torch.autograd.set_detect_anomaly(True):
        y = _leaf(s, 1.0, 1.0).exp()
        z = y * 2
        z.sum().backward()
        _warned(s, lambda: z.exp().sum().backward())


def the_mode(s: Session) -> None:
    t = s.torch
    state = lambda: s(t.is_anomaly_enabled(), t.is_anomaly_check_nan_enabled())  # noqa: E731
    state()
    with t.autograd.set_detect_anomaly(True, False):
        state()
        with t.autograd.set_detect_anomaly(False):
            state()
        state()
    state()
    t.autograd.set_detect_anomaly(True)
    state()
    t.autograd.set_detect_anomaly(False)

    def enter() -> None:
        with t.autograd.detect_anomaly():
            state()
        with t.autograd.detect_anomaly(check_nan=False):
            state()
        state()

    _warned(s, enter)
