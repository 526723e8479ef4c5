"""What torch refuses of changes in place: of leaves and views, of memory that repeats, inside transforms."""

from __future__ import annotations

from typing import Any

from engine.eager.active import is_captured
from engine.eager.tensor import Tensor
from engine.errors import GradError, NotImplementedYet, RuntimeArgumentError
from engine.grad_mode import is_grad_enabled

_OVERLAP = (
    "unsupported operation: more than one element of the written-to tensor refers to a single memory "
    "location. Please clone() the tensor before performing the operation."
)
_VIEW_OF_NO_GRAD = (
    "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that "
    "this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving "
    "both the view and the inplace either both inside the no_grad block (if you don't want the inplace to "
    "be tracked) or both outside (if you want the inplace to be tracked)."
)
_OVERLOADED = ("add", "sub", "mul", "div")  # with a tensor, whatever they are given
_BY_ARGUMENT = ("pow", "clamp", "fill")


def check_history(tensor: Tensor) -> None:
    """What torch refuses while ops are recorded: changes of leaves that require grad, and of their views."""
    if not is_grad_enabled():
        return
    maker = tensor.grad_fn
    if tensor.base is None:
        if tensor.is_leaf and tensor.requires_grad:
            raise GradError("a leaf Variable that requires grad is being used in an in-place operation.")
        return
    if maker is not None and len(maker.outputs) > 1:
        raise GradError(
            f"Output {tensor.output_nr} of {maker.name().partition('Backward')[0]} is a view and is being "
            "modified inplace. This view is the output of a function that returns multiple views. Such "
            "functions do not allow the output views to be modified inplace. You should replace the "
            "inplace operation by an out-of-place one."
        )
    if tensor.base.requires_grad and maker is None:
        raise GradError(_VIEW_OF_NO_GRAD)
    if tensor.base.requires_grad and tensor.base.is_leaf:
        raise GradError(
            "a view of a leaf Variable that requires grad is being used in an in-place operation."
        )
    if maker is not None:
        raise NotImplementedYet("an in-place change of a view of a tensor with history (CopySlices)")


def check_memory(tensor: Tensor) -> None:
    steps = zip(tensor.stride(), tensor.shape, strict=True)
    if any(step == 0 and size > 1 for step, size in steps) or not tensor.array.flags.writeable:
        raise RuntimeArgumentError(_OVERLAP)


def check_levels(tensor: Tensor, result: Tensor, op_name: str) -> None:
    """There is room for all the samples that are written."""
    if all(level in tensor.levels for level in result.levels):
        return
    name = "fill_" if op_name.startswith("_fill") else "inplace arithmetic"
    raise RuntimeArgumentError(
        f"vmap: {name}(self, *extra_args) is not possible because there exists a Tensor `other` in "
        "extra_args that has more elements than `self`. This happened due to `other` being vmapped over "
        "but `self` not being vmapped over in a vmap. Please try to use out-of-place operators instead of "
        f"{name}. If said operator is being called inside the PyTorch framework, please file a bug report "
        "instead."
    )


def check_captured(tensor: Tensor, op_name: str, args: tuple[Any, ...]) -> None:
    """A transform that differentiates does not see changes of what its function was not given."""
    if not is_captured(tensor.storage):
        return
    name = op_name.removeprefix("_").removesuffix("_tensor").removesuffix("_number")
    kind = "Tensor" if args and isinstance(args[0], Tensor) else "Scalar"
    overload = ".Tensor" if name in _OVERLOADED else f".{kind}" if name in _BY_ARGUMENT else ""
    raise GradError(
        "During a grad (vjp, jvp, grad, etc) transform, the function provided attempted to call in-place "
        f"operation (aten::{name}_{overload}) that would mutate a captured Tensor. This is not supported; "
        "please rewrite the function being transformed to explicitly accept the mutated Tensor(s) as inputs."
    )
