"""In-place changes of eager tensors: x.add_(…), x += …, x[key] = ….

The op runs out of place on a stand-in that has the old values and the old history; its result is written into
the memory of the tensor, which takes over the result's history. The storage's version counts the change, so
that a backward that needs the old values is refused. A view of a tensor with history cannot be changed yet:
that would change the history of the tensor it is a view of (torch's CopySlices).
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.eager.builder import EAGER, F
from engine.eager.inplace_checks import check_captured, check_history, check_levels, check_memory
from engine.eager.keys import keys_of
from engine.eager.tensor import Tensor
from engine.errors import (
    ArgumentError,
    DTypeError,
    GradError,
    NotImplementedYet,
    ShapeError,
)
from engine.grad_mode import is_grad_enabled
from engine.levels import Levels
from engine.registry import lookup
from engine.subscript import subscript

_METHODS = {
    f"{name}_": name
    for name in (
        "add sub mul div pow neg abs exp log sqrt sin cos tanh sigmoid relu sign square reciprocal clamp "
        "floor ceil round index_put index_add scatter_add"
    ).split()
} | {"zero_": "_zero"}
_OPERATORS = {
    "__iadd__": "add",
    "__isub__": "sub",
    "__imul__": "mul",
    "__itruediv__": "div",
    "__ipow__": "pow",
}


def change(tensor: Tensor, op_name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """Replace the values of `tensor` by those of an op on it; gives `tensor`."""
    check_history(tensor)
    check_memory(tensor)
    check_captured(tensor, op_name, args)
    recorded = is_grad_enabled() and any(getattr(each, "requires_grad", False) for each in (tensor, *args))
    before = _stand_in(tensor) if recorded else tensor.detach()
    result = EAGER.apply(lookup(op_name), (before, *args), kwargs)
    if result.dtype.category > tensor.dtype.category:
        raise DTypeError(
            f"result type {result.dtype.title} can't be cast to the desired output type {tensor.dtype.title}",
            expected=tensor.dtype.name,
            actual=result.dtype.name,
        )
    if result.shape != tensor.shape:
        raise ShapeError(
            f"output with shape {list(tensor.shape)} doesn't match the broadcast shape {list(result.shape)}",
            expected=list(tensor.shape),
            actual=list(result.shape),
        )
    result = F.to(result, tensor.dtype)
    if result.requires_grad and tensor.base is not None:
        raise NotImplementedYet("a tensor with history written into a view (CopySlices)")
    check_levels(tensor, result, op_name)
    np.copyto(tensor.array, _aligned(result, tensor.levels))
    tensor.storage.version += 1
    if result.grad_fn is not None:
        _take_history(tensor, result)
    return tensor


def _aligned(result: Tensor, levels: Levels) -> np.ndarray[Any, Any]:
    """The samples of `result` as they are written into a tensor with `levels`."""
    places = (slice(None) if level in result.levels else None for level in levels)
    return result.array[(*places, Ellipsis)] if levels else result.array


def _stand_in(tensor: Tensor) -> Tensor:
    """The tensor as it was: its history, and a copy of its values, which the backward may read."""
    before = Tensor(tensor.array.copy(order="K"), tensor.meta, levels=tensor.levels)
    return before if tensor.grad_fn is None else before.attach(tensor.grad_fn, tensor.output_nr)


def _take_history(tensor: Tensor, result: Tensor) -> None:
    kept = tensor.retains_grad and tensor.grad_fn is not None
    if kept and tensor.grad_fn is not None:
        del tensor.grad_fn.retained[tensor.output_nr]
    assert result.grad_fn is not None
    tensor.attach(result.grad_fn, result.output_nr)
    tensor.rebased += 1
    if kept:
        result.grad_fn.retained[result.output_nr] = weakref.ref(tensor)


def fill_(self: Tensor, value: Any) -> Tensor:
    """Write a number, or a 0-dim tensor, everywhere."""
    return change(self, "_fill_tensor" if isinstance(value, Tensor) else "_fill_number", (value,), {})


def copy_(self: Tensor, src: Any) -> Tensor:
    """Write the values of `src`, broadcast and cast."""
    return change(self, "_copy", (src,), {}) if isinstance(src, Tensor) else fill_(self, src)


def detach_(self: Tensor) -> Tensor:
    """Forget how it was made: a leaf that does not require grad."""
    if self.base is not None:
        raise GradError(
            "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel "
            "(DDP) for training, and gradient_as_bucket_view is set as True, gradients are views of DDP "
            "buckets, and hence detach_() cannot be called on these gradients. To fix this error, please "
            "refer to the Optimizer.zero_grad() function in torch/optim/optimizer.py as a solution."
        )
    self.forget()
    return self


def setitem(tensor: Tensor, key: Any, value: Any) -> None:
    """`tensor[key] = value`: through views where the key makes one, else by index_put_."""
    if not isinstance(value, (Tensor, bool, int, float, complex)):
        raise ArgumentError(f"can't assign a {type(value).__name__} to a torch.{tensor.dtype.title}Tensor")
    if key is False:
        return
    keys = keys_of(key)
    full = keys if any(each is Ellipsis for each in keys) else (*keys, Ellipsis)
    target, indices = subscript(F, tensor, full)
    if not isinstance(value, Tensor):
        value = F.full((), value, dtype=tensor.dtype)
    if indices:
        change(target, "index_put", (tuple(indices), value), {})
    elif value.ndim == 0:
        fill_(target, value)
    else:
        copy_(target, _without_leading_ones(value, target.ndim, target.shape))


def _without_leading_ones(value: Tensor, rank: int, shape: tuple[int, ...]) -> Any:
    """`value` as it broadcasts to a target of fewer dimensions."""
    sizes = value.meta.shape
    while len(sizes) > rank and sizes[0] == 1:
        sizes = sizes[1:]
    value = value if sizes == value.meta.shape else F.view(value, sizes)
    return value if sizes == tuple(shape) else F.expand(value, tuple(shape))


def _method(op_name: str) -> Callable[..., Tensor]:
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return change(self, op_name, args, kwargs)

    method.__doc__ = f"{op_name.removeprefix('_')}, written into the tensor itself."
    return method


def install() -> None:
    """Give Tensor its in-place methods."""
    for name, op_name in (_METHODS | _OPERATORS).items():
        setattr(Tensor, name, _method(op_name))
    for written in (fill_, copy_, detach_):
        if written.__name__ not in Tensor.__dict__:
            setattr(Tensor, written.__name__, written)
    Tensor.__setitem__ = setitem  # type: ignore[method-assign]
