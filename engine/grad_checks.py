"""What torch refuses of requires_grad, of `.grad` and of the inputs of a sweep, for both executors.

The tensors are an eager Tensor or a Value of a graph: what has `meta`, `dtype`, `shape` and `requires_grad`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.dtypes import DType
from engine.errors import (
    ArgumentError,
    DTypeError,
    GradError,
    RuntimeArgumentError,
    ShapeError,
    ValueArgumentError,
)

GRAD_OF_INTERIOR = (
    "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute "
    "won't be populated during autograd.backward(). If you indeed want the .grad field to be populated "
    "for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor "
    "by mistake, make sure you access the leaf Tensor instead."
)
_CPP_NAMES = {
    "float16": "c10::Half",
    "float32": "float",
    "float64": "double",
    "complex64": "c10::complex<float>",
    "complex128": "c10::complex<double>",
    "uint8": "unsigned char",
    "int8": "signed char",
    "int16": "short int",
    "int32": "int",
    "int64": "long int",
}


def check_created(dtype: DType) -> None:
    """A new leaf of `dtype` may require grad."""
    if not dtype.differentiable:
        raise GradError("Only Tensors of floating point and complex dtype can require gradients")


def check_switched(dtype: DType, is_leaf: bool, wanted: bool) -> None:
    """`requires_grad_(wanted)` may be called on a tensor."""
    if wanted and not dtype.differentiable:
        raise GradError("only Tensors of floating point dtype can require gradients")
    if not is_leaf and not wanted:
        raise GradError(
            "you can only change requires_grad flags of leaf variables. If you want to use a computed "
            "variable in a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
        )


def check_retained(tensor: Any) -> None:
    """A tensor's `.grad` can be kept: it gets one."""
    if not tensor.requires_grad:
        raise GradError("can't retain_grad on Tensor that has requires_grad=False")


def check_assigned(tensor: Any, new: Any) -> None:
    """`new` can be the `.grad` of `tensor`."""
    if not hasattr(new, "meta"):
        raise ArgumentError(
            f"assigned grad expected to be a Tensor or None but got grad of type {type(new).__name__}"
        )
    if new is tensor:
        raise GradError("can't assign Variable as its own grad")
    if new.dtype is not tensor.dtype:
        raise DTypeError(
            "attempting to assign a gradient with dtype "
            f"'{_CPP_NAMES.get(new.dtype.name, new.dtype.name)}' to a tensor with grad_dtype "
            f"'{tensor.dtype.title}'. The gradient must match the tensor's grad_dtype (defaults to the "
            "tensor's dtype). You can set the tensor's grad_dtype attribute with a specific dtype, or "
            "None to allow any dtype. Set grad_dtype with caution. Diverging the dtypes of a tensor and "
            "its gradient may break downstream systems that assume they match."
        )
    if new.shape != tensor.shape:
        raise ShapeError(
            f"attempting to assign a gradient of size '{list(new.shape)}' to a tensor of size "
            f"'{list(tensor.shape)}'. Please ensure that the gradient and the tensor are the same size"
        )


def check_inputs(inputs: Sequence[Any], caller: str) -> None:
    """`caller`, backward or grad, is given at least one input."""
    if not inputs:
        raise RuntimeArgumentError(f"`inputs` argument to `{caller}()` cannot be empty.")


def check_wrt(inputs: Sequence[Any]) -> None:
    """Every input of grad requires grad."""
    for index, each in enumerate(inputs):
        if not each.requires_grad:
            raise GradError(
                "One of the differentiated Tensors does not require grad", pointer=("attrs", "wrt", index)
            )


def check_materialized(materialize_grads: bool, allow_unused: bool | None) -> None:
    """Zeros for unused inputs are not asked for and forbidden at once."""
    if materialize_grads and allow_unused is False:
        raise ValueArgumentError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
            "allow_unused=False."
        )


def unused(index: int) -> GradError:
    """The error for an input that no path leads to."""
    return GradError(
        f"The differentiated Tensor at index {index} appears to not have been used in the graph. Set "
        "allow_unused=True if this is the desired behavior."
    )
