"""Anomaly mode names the node that made a NaN, and where it was made."""

import warnings

import pytest

import engine
from tests.engine.behaviour import names
from tests.engine.behaviour.replay import compare


@pytest.mark.parametrize(("module", "scenario"), names("anomaly"))
def test_scenario(module: str, scenario: str) -> None:
    compare(module, scenario)


def test_the_warning_shows_the_line_of_the_forward_call() -> None:
    x = engine.tensor([0.0, 1.0], requires_grad=True)
    with engine.autograd.set_detect_anomaly(True), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        y = x.sqrt()  # the line
        with pytest.raises(
            RuntimeError, match=r"^Function 'SqrtBackward0' returned nan values in its 0th output\.$"
        ):
            (y * 0).sum().backward()
    (warning,) = caught
    text = str(warning.message)
    assert text.startswith(
        "Error detected in SqrtBackward0. Traceback of forward call that caused the error:\n  File"
    )
    assert text.endswith("    y = x.sqrt()  # the line\n")


def test_the_backward_that_led_to_a_node_is_told() -> None:
    x = engine.tensor([0.0, 1.0], requires_grad=True)
    with engine.autograd.set_detect_anomaly(True), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        slope = x**1.5
        (first,) = engine.grad(slope.sum(), x, create_graph=True)
        (second,) = engine.grad(first.sum(), x, create_graph=True)
        with pytest.raises(RuntimeError, match="returned nan values"):
            (second * 0).sum().backward()
    texts = [str(each.message) for each in caught]
    assert len(texts) == 3 and texts[0].startswith("Error detected in ")
    for text, line in zip(texts[1:], ("engine.grad(slope.sum()", "slope = x**1.5"), strict=True):
        assert text.startswith("\n\nPrevious calculation was induced by ")
        assert line in text


def test_nothing_is_kept_without_the_mode() -> None:
    x = engine.ones(2, requires_grad=True)
    assert (x * 2).grad_fn.origin is None  # type: ignore[union-attr]
