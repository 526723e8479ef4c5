"""Sums of three: lerp, addcmul and addcdiv."""

from __future__ import annotations

from typing import Any

from engine.binding import no_overload
from engine.define import composite, elementwise, pointwise, pointwise_result
from engine.dtypes import BOOL, COMPLEX, INTEGER, DType
from engine.errors import DTypeError, RuntimeArgumentError
from engine.kernels import promoted
from engine.op import refused, sample
from engine.ops.dtype_checks import no_kernel
from engine.ops.tensor_checks import tensors_only
from engine.signature import Number, Param, Tensor, is_number
from engine.types import Type

_C_NAMES = {
    "bool": "bool",
    "uint8": "unsigned char",
    "int8": "signed char",
    "int16": "short int",
    "int32": "int",
    "int64": "long int",
    "float16": "c10::Half",
    "float32": "float",
    "float64": "double",
    "complex64": "c10::complex<float>",
    "complex128": "c10::complex<double>",
}
_THREE = tuple(Param(name, "Tensor", False, None, False) for name in ("input", "tensor1", "tensor2"))
_broadcast = pointwise(_THREE)


_SCALARS = {"uint8": "uint8_t", "int8": "int8_t", "int16": "int16_t", "int32": "int", "int64": "int64_t"}
_SCALARS |= {"float16": "float", "float32": "float", "float64": "double"}


def _check_real(dtype: DType, value: Any) -> None:
    if isinstance(value, complex) and dtype.category < COMPLEX:
        raise RuntimeArgumentError(
            f"value cannot be converted to type {_SCALARS[dtype.name]} without overflow"
        )


def _lerp_type(input: Type, end: Type, weight: Any) -> Type:
    for name, each in (("end", end), ("weight", weight)):
        if type(each) is Type and each.dtype is not input.dtype:
            raise DTypeError(
                f"expected dtype {_C_NAMES[input.dtype.name]} for `{name}` but got dtype "
                f"{_C_NAMES[each.dtype.name]}",
                expected=input.dtype.name,
                actual=each.dtype.name,
            )
    if input.dtype.category <= INTEGER:
        raise no_kernel(f"lerp_kernel_{'tensor' if type(weight) is Type else 'scalar'}", input.dtype)
    _check_real(input.dtype, weight)
    tensors = [each for each in (input, end, weight) if type(each) is Type]
    return pointwise_result(tensors, input.dtype)


@elementwise(
    "_lerp_scalar",
    "y = between(input, end, weight)",
    infer=_lerp_type,
    vjp=lambda F, x, y, g, weight: (
        lambda: F.mul(g, 1 - weight.conjugate()),
        lambda: F.mul(g, weight.conjugate()),
    ),
    grad_fn="LerpBackward0",
    saves=("weight",),
    samples=lambda make: [sample(make(2, 3), make(3), 0.3)],
)
def lerp_scalar(input: Tensor, end: Tensor, weight: Number) -> None:
    """lerp by a number.

    Smooth everywhere.
    """


@elementwise(
    "_lerp_tensor",
    "y = between(input, end, weight)",
    infer=_lerp_type,
    vjp=lambda F, x, y, g: (
        lambda: F.mul(g, F.conj(F.rsub(x[2], 1))),
        lambda: F.mul(g, F.conj(x[2])),
        lambda: F.mul(g, F.conj(F.sub(x[1], x[0]))),
    ),
    grad_fn="LerpBackward1",
    saves=("end for weight", "self for weight", "weight"),
    samples=lambda make: [sample(make(2, 3), make(3), make(3, low=0, high=1))],
)
def lerp_tensor(input: Tensor, end: Tensor, weight: Tensor) -> None:
    """lerp by a tensor.

    Smooth everywhere.
    """


@composite(
    "lerp",
    samples=lambda make: [
        sample(make(2, 3), make(3), 0.3),
        sample(make(2, 3), make(2, 1), 0.7),
        sample(make(2, 3), make(2, 3), make(3, low=0, high=1)),
        sample(make(), make(), make()),
        sample(make(2) + 1j * make(2), make(2) + 1j, make(2) + 1j),
        sample(make(2) + 1j * make(2), make(2) + 1j, 0.2 + 0.1j),
    ],
    refusals=lambda make: [
        refused("expected dtype double for `end` but got dtype float", make(2), make(2).astype("f4"), 0.5),
        refused("expected dtype double for `weight` but got dtype long int", make(2), make(2), make.ints(2)),
        refused("\"lerp_kernel_scalar\" not implemented for 'Long'", make.ints(2), make.ints(2), 2),
        refused("value cannot be converted to type double without overflow", make(2), make(2), 0.5j),
        refused("lerp() received an invalid combination of arguments", make(2), 1.0, 0.5),
        refused("The size of tensor a (3) must match the size of tensor b (2)", make(3), make(2), 0.5),
    ],
)
def lerp(F: Any, input: Tensor | Number, end: Tensor | Number, weight: Tensor | Number) -> Any:
    """input + weight * (end - input): the number at `weight` of the way from `input` to `end`.

    Smooth everywhere. No promotion: all dtypes are the same.
    """
    if is_number(input) or is_number(end):
        raise no_overload("lerp", (input, end, weight))
    return F._lerp_scalar(input, end, weight) if is_number(weight) else F._lerp_tensor(input, end, weight)


def _product_type(input: Type, tensor1: Type, tensor2: Type, value: Number = 1) -> Type:
    dtype = promoted([input, tensor1, tensor2])
    if dtype.category == BOOL:
        raise no_kernel("addcmul_cpu_out", dtype)
    _check_real(dtype, value)
    found: Type = _broadcast(input, tensor1, tensor2)
    return found


def _quotient_type(input: Type, tensor1: Type, tensor2: Type, value: Number = 1) -> Type:
    if max(tensor1.dtype.category, tensor2.dtype.category) <= INTEGER:
        raise DTypeError(
            "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will "
            "perform a true division of tensor1 and tensor2. The historic addcdiv behavior can be "
            "implemented as (input + value * torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer "
            "inputs and as (input + value * tensor1 / tensor2) for float inputs. The future addcdiv behavior "
            "is just the latter implementation: (input + value * tensor1 / tensor2), for all dtypes."
        )
    _check_real(promoted([input, tensor1, tensor2]), value)
    found: Type = _broadcast(input, tensor1, tensor2)
    return found


def _samples(make: Any, low: float) -> list[Any]:
    return [
        sample(make(2, 3), make(3), make(2, 3, low=low)),
        sample(make(2, 3), make(2, 1), make(3, low=low), value=0.5),
        sample(make(), make(), make(low=low)),
        sample(make.ints(3), make(3), make(3, low=low), value=2),
        sample(make(2) + 1j * make(2), make(2) + 1j, make(2, low=low) + 1j, value=2j),
    ]


def _refusals(name: str, make: Any) -> list[Any]:
    text = f"{name}(): argument 'tensor1' (position 2) must be Tensor, not float"
    mismatch = "The size of tensor a (3) must match the size of tensor b (2)"
    overflow = "value cannot be converted to type double without overflow"
    return [
        refused(text, make(2), 2.0, make(2)),
        refused(mismatch, make(3), make(2), make(2)),
        refused(overflow, make(2), make(2), make(2), value=2j),
    ]


_NAMES = ("input", "tensor1", "tensor2")


@elementwise(
    "addcmul",
    "t = multiply(tensor1, tensor2); s = scaled(t, value); y = add(input, s)",
    infer=tensors_only("addcmul", _NAMES, _product_type),
    vjp=lambda F, x, y, g, value: (
        lambda: g,
        lambda: F.mul(g, F.conj(F.mul(x[2], value))),
        lambda: F.mul(g, F.conj(F.mul(x[1], value))),
    ),
    saves=("tensor1 for tensor2", "tensor2 for tensor1", "value"),
    samples=lambda make: [
        *_samples(make, -2),
        sample(make.ints(3), make.ints(3), make.ints(3), value=2),
    ],
    refusals=lambda make: [
        *_refusals("addcmul", make),
        refused(
            "\"addcmul_cpu_out\" not implemented for 'Bool'", make.bools(2), make.bools(2), make.bools(2)
        ),
    ],
)
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> None:
    """input + value * tensor1 * tensor2.

    Smooth everywhere.
    """


@elementwise(
    "addcdiv",
    "t = divide(tensor1, tensor2); s = scaled(t, value); y = add(input, s)",
    infer=tensors_only("addcdiv", _NAMES, _quotient_type),
    vjp=lambda F, x, y, g, value: (
        lambda: g,
        lambda: F.mul(g, F.conj(F.mul(F.reciprocal(x[2]), value))),
        lambda: F.mul(F.neg(g), F.conj(F.div(F.mul(x[1], value), F.mul(x[2], x[2])))),
    ),
    saves=("tensor1 for tensor2", "tensor2", "value"),
    samples=lambda make: _samples(make, 0.5),
    refusals=lambda make: [
        *_refusals("addcdiv", make),
        refused("Integer division with addcdiv is no longer supported", make(2), make.ints(2), make.ints(2)),
    ],
)
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> None:
    """input + value * tensor1 / tensor2.

    Infinite where `tensor2` is 0, NaN where `tensor1` is too.
    """
