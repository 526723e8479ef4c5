"""What gradcheck says, in torch's words."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.eager.tensor import Tensor
from engine.gradcheck.calls import Part

Array = np.ndarray[Any, Any]

NONE_REQUIRES_GRAD = (
    "gradcheck expects at least one input tensor to require gradient, but none of them have "
    "requires_grad=True."
)
NOT_ZERO = "Numerical gradient for function expected to be zero"
NOT_MULTIPLIED = "backward not multiplied by grad_output"
_DERIVATIVES = 'Please look at "Notes about undefined output gradients" in "tools/autograd/derivatives.yaml"'
UNDEFINED_REFUSED = f"Expected backward function to handle undefined output grads. {_DERIVATIVES}"
UNDEFINED_NOT_ZERO = (
    f"Expected all input grads to be undefined or zero when all output grads are undefined or zero. "
    f"{_DERIVATIVES}"
)
UNDEFINED_WARNING = (
    "Backwards compatibility: New undefined gradient support checking feature is enabled by default, but it "
    "may break existing callers of this function. If this is true for you, you can call this function with "
    '"check_undefined_grad=False" to disable the feature'
)
_IF_NEW = (
    "If you are adding a new operator, please file an issue and then use one of the\n"
    "workarounds. The workaround depends on how your test invokes gradcheck/gradgradcheck"
)
_NON_DETERMINISTIC = f"""

NOTE: If your op relies on non-deterministic operations i.e., it is listed here:
https://pytorch.org/docs/stable/generated/torch.use_deterministic_algorithms.html
this failure might be expected.

{_IF_NEW}.
If the test
- manually invokes gradcheck/gradgradcheck, then call gradcheck/gradgradcheck
  with `nondet_tol=<tol>` as a keyword argument.
- is OpInfo-based (e.g., in test_ops_gradients.py), then modify the OpInfo for the test
  to have `gradcheck_nondet_tol=<tol>`.
- is a Module test (e.g., in common_nn.py), then modify the corresponding
  module_test entry to have `gradcheck_nondet_tol=<tol>`
"""
_FAST_ONLY = f"""Fast gradcheck failed but element-wise differences are small. This means that the
test might've passed in slow_mode!

{_IF_NEW}:

If the test
- manually invokes gradcheck/gradgradcheck, then call gradcheck/gradgradcheck
  with `fast_mode=False` as a keyword argument.
- is OpInfo-based (e.g., in test_ops_gradients.py), then modify the OpInfo for the test
  to have `gradcheck_fast_mode=False`
- is a Module test (e.g., in common_nn.py), then modify the corresponding
  module_test entry to have `gradcheck_fast_mode=False`"""


def not_double(at: int) -> str:
    """The warning for an input of less precision."""
    return (
        f"Input #{at} requires gradient and is not a double precision floating point or complex. This check "
        "will likely fail if all the inputs are not of double precision floating point or complex. "
    )


def overlapping(at: int) -> str:
    """An input in which one place in memory is several elements."""
    return (
        f"The {at}th input has a dimension with stride 0. gradcheck only supports inputs that are "
        "non-overlapping to be able to compute the numerical gradients correctly. You should call "
        ".contiguous on the input before passing it to gradcheck."
    )


def not_reentrant(tolerance: float) -> str:
    """A backward that gives two answers."""
    return (
        "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times "
        "gives different values, although analytical gradient matches numerical gradient."
        f"The tolerance for nondeterminism was {tolerance}.{_NON_DETERMINISTIC}"
    )


def mismatch(output: int, given: int, part: Part | None, numerical: Array, analytical: Array) -> str:
    """Two Jacobians that differ; `part` if the output is complex."""
    prefix = f"While considering the {part} part of complex outputs only, " if part else ""
    return (
        f"{prefix}Jacobian mismatch for output {output} with respect to input {given},\n"
        f"numerical:{Tensor(numerical)}\nanalytical:{Tensor(analytical)}\n"
    )


def in_slow_mode(numerical: Array, analytical: Array, close: bool) -> str:
    """What stands below a mismatch found in fast mode: the whole Jacobians."""
    with np.errstate(all="ignore"):
        largest = Tensor(np.asarray(np.abs(numerical - analytical).max()))
    return (
        "\nThe above quantities relating the numerical and analytical jacobians are computed \n"
        "in fast mode. See: https://github.com/pytorch/pytorch/issues/53876 for more background \n"
        "about fast mode. Below, we recompute numerical and analytical jacobians in slow mode:\n\n"
        f"Numerical:\n {Tensor(numerical)}\n"
        f"Analytical:\n{Tensor(analytical)}\n\n"
        f"The max per-element difference (slow mode) is: {largest}.\n"
    ) + (_FAST_ONLY if close else "")
