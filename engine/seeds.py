"""The cotangents that a sweep starts from: torch's checks of outputs and gradients, for both executors."""

from __future__ import annotations

from typing import Any

from engine.bounded import agree, is_bounded
from engine.errors import (
    ArgumentError,
    DimError,
    DTypeError,
    GradError,
    NotScalar,
    ShapeError,
    ValueArgumentError,
)
from engine.op import Op
from engine.signature import MISSING, Param
from engine.types import Shape


def size_text(shape: Shape) -> str:
    """A shape as torch prints it."""
    return f"torch.Size({list(shape)})"


def check_output(output: Any, index: int) -> None:
    """An output must have a history; GradError in torch's words if it has none."""
    if not output.requires_grad:
        raise no_history(index)


def no_history(index: int) -> GradError:
    """The refusal of an output without a history, in torch's words."""
    return GradError(f"element {index} of tensors does not require grad and does not have a grad_fn")


def seed(F: Any, output: Any, gradient: Any, index: int) -> Any:
    """The cotangent of `output`: `gradient` checked and cast; ones for None where one element is there."""
    if gradient is None:
        if output.meta.numel != 1:
            raise NotScalar("grad can be implicitly created only for scalar outputs")
        if output.meta.dtype.is_complex:
            raise NotScalar(
                f"grad can be implicitly created only for real scalar outputs but got {output.meta.dtype!r}"
            )
        return F.ones_like(output)
    check_gradient(gradient)
    return fitted(F, output, gradient, index)


def check_gradient(gradient: Any) -> None:
    """A gradient is a tensor, or None."""
    if gradient is not None and not hasattr(gradient, "meta"):
        raise ArgumentError(f"gradients can be either Tensors or None, but got {type(gradient).__name__}")


def fitted(F: Any, output: Any, gradient: Any, index: int) -> Any:
    """`gradient` if it has the shape of `output`, cast to its dtype."""
    have, want = gradient.meta, output.meta
    if not agree(have.shape, want.shape):
        raise _mismatch(index, have.shape, want.shape)
    if is_bounded(want):
        gradient = F.apply_op(_as_shaped(index), gradient, output)
    if have.dtype.is_complex != want.dtype.is_complex:
        raise DTypeError(
            "For complex Tensors, both grad_output and output are required to have the same dtype. "
            f"Mismatch in dtype: grad_output[{index}] has a dtype of {have.dtype!r} and output[{index}] "
            f"has a dtype of {want.dtype!r}.",
            expected=want.dtype.name,
            actual=have.dtype.name,
        )
    return gradient if have.dtype is want.dtype else F.to(gradient, want.dtype)


def _mismatch(index: int, have: Shape, want: Shape) -> ShapeError:
    return ShapeError(
        f"Mismatch in shape: grad_output[{index}] has a shape of {size_text(have)} and "
        f"output[{index}] has a shape of {size_text(want)}.",
        expected=list(want),
        actual=list(have),
    )


def _as_shaped(index: int) -> Op:
    """The check of a gradient against an output whose shape is known when the program runs."""

    def run(gradient: Any, output: Any) -> Any:
        if gradient.shape != output.shape:
            raise _mismatch(index, gradient.shape, output.shape)
        return gradient

    return Op(
        name="_as_shaped",
        params=(
            Param("gradient", "Tensor", False, MISSING, False),
            Param("output", "Fixed", False, MISSING, False),
        ),
        doc="A gradient that has the shape of an output.",
        kind="view",
        run=run,
        infer=lambda gradient, output: output.with_dtype(gradient.dtype),
        vjp=lambda F, x, y, g: (lambda: g, None),
        grad_fn="AliasBackward0",
    )


def check_count(outputs: int, gradients: int) -> None:
    """One gradient an output."""
    if outputs != gradients:
        raise GradError(
            f"got {outputs} tensors and {gradients} gradients", expected=outputs, actual=gradients
        )


def batch_size(F: Any, outputs: list[Any], gradients: list[Any]) -> int:
    """How many cotangents there are for each output, in an axis in front; torch's errors if there is none, or
    if what is behind it has not the shape of the output."""
    for gradient in gradients:
        check_gradient(gradient)
    check_count(len(outputs), len(gradients))
    sizes = []
    for index, (output, gradient) in enumerate(zip(outputs, gradients, strict=True)):
        if gradient is None:
            gradient = seed(F, output, None, index)
            raise ValueArgumentError(
                "vmap(vjp, in_dims=0, ...)(<inputs>): Got in_dim=0 for some input, but that input is a "
                f"Tensor of dimensionality {gradient.meta.ndim} so expected in_dim to satisfy 0 <= in_dim < "
                f"{gradient.meta.ndim}."
            )
        if not gradient.meta.ndim:
            raise DimError(_NO_AXIS)
        if not agree(gradient.meta.shape[1:], output.meta.shape):
            raise batched_mismatch(index, gradient.meta.shape, output.meta.shape)
        sizes.append(gradient.meta.shape[0])
    if len(set(sizes)) > 1:
        raise ValueArgumentError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sizes} for the mapped dimension"
        )
    return int(sizes[0])


def batched_mismatch(index: int, have: Shape, want: Shape) -> ShapeError:
    """The error for cotangents of shape `have`, an axis of them in front, where the output has shape `want`;
    torch leaves out two dims where it names the first."""
    return ShapeError(
        "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch "
        "dimension. The sizes of the remaining dimensions are expected to match the shape of corresponding "
        f"output, but a mismatch was detected: grad_output[{index}] has a shape of {size_text(have[2:])} and "
        f"output[{index}] has a shape of {size_text(want)}. If you only want some tensors in `grad_output` "
        "to be considered batched, consider using vmap.",
        expected=list(want),
        actual=list(have[1:]),
    )


_NO_AXIS = (
    "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert "
    "a 0-dim tensor to a number"
)
