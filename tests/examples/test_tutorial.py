"""The tutorial prints what torch 2.13 prints for the same file, every cell of it."""

import pytest

from tests.examples.running import STORED, printed


@pytest.mark.parametrize("name", ["tutorial", "custom_function"])
def test_it_prints_what_torch_prints(name: str) -> None:
    assert printed(name) == (STORED / f"{name}.txt").read_text(encoding="utf-8")


def test_the_loop_needs_the_numbers_drawn_before_it() -> None:
    """The tutorial draws randn(2, 2) first; its loop's y is known to every reader."""
    text = printed("tutorial")
    assert "tensor([-1110.5509, -1432.1617,   413.0272], grad_fn=<MulBackward0>)" in text
    assert "tensor([1.0240e+02, 1.0240e+03, 1.0240e-01])" in text
