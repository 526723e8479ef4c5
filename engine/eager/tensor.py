"""`Tensor`: an array with an autograd history."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from engine import dtypes as dt
from engine import grad_checks
from engine.dtypes import DType
from engine.eager import active
from engine.eager.conversion import Conversions
from engine.eager.node import AccumulateGrad, Node, RemovableHandle
from engine.eager.ondemand import OnDemand
from engine.eager.storage import Size, Storage
from engine.errors import GradError, NotImplementedYet
from engine.levels import Levels
from engine.types import Type, strided, wrap_dim


class Tensor(Conversions):
    """A numpy array that remembers how it was made.

    `meta` is its Type, `array` the numpy array behind it. Every op of the registry whose first parameter is a
    tensor is a method too. Inside `vmap` it is one sample of many: `levels` are the batch axes that its array
    has in front.
    """

    __array_priority__ = 1000

    # what few tensors have of their own
    base: Tensor | None = None  # the tensor that this is a view of
    rebased = 0  # how often its history was replaced, or its base's was
    levels: Levels = ()
    output_nr = 0
    _requires_grad = False
    hooks = OnDemand[list[Callable[["Tensor"], "Tensor | None"]]](list)
    accumulated_hooks = OnDemand[list[Callable[["Tensor"], None]]](list)
    _grad_fn: Node | None = None
    _grad: Tensor | None = None
    _accumulate: weakref.ref[AccumulateGrad] | None = None

    def __init__(
        self,
        array: np.ndarray[Any, Any],
        meta: Type | None = None,
        *,
        requires_grad: bool = False,
        base: Tensor | None = None,
        levels: Levels = (),
    ) -> None:
        self.array = array
        self.meta = meta if meta is not None else type_of(array)
        if levels:
            self.levels = levels
        if requires_grad:
            self._requires_grad = True
        if base is None:
            self.storage = Storage()
        else:
            self.base = root = base if base.base is None else base.base
            self.storage, self.rebased = root.storage, root.rebased

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...  # the ops, installed by engine.methods

        def __setitem__(self, key: Any, value: Any) -> None: ...  # engine.inplace

    # -- what it is

    @property
    def shape(self) -> Size:
        """The sizes of its dimensions."""
        return Size(self.meta.shape)

    @property
    def dtype(self) -> DType:
        return self.meta.dtype

    @property
    def ndim(self) -> int:
        return len(self.meta.shape)

    def dim(self) -> int:
        """The number of dimensions."""
        return self.ndim

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        return self.shape if dim is None else self.meta.shape[wrap_dim(dim, self.ndim)]

    def numel(self) -> int:
        """The number of elements."""
        return self.meta.numel

    def stride(self) -> tuple[int, ...]:
        """The strides torch would give it, in elements."""
        return self.meta.stride()

    def is_contiguous(self) -> bool:
        """Whether its elements are in row-major order."""
        return self.meta.is_contiguous

    def is_floating_point(self) -> bool:
        return self.dtype.is_floating_point

    def is_complex(self) -> bool:
        return self.dtype.is_complex

    @property
    def version(self) -> int:
        """How often its storage was changed in place."""
        return self.storage.version

    _version = version

    # -- autograd state

    @property
    def requires_grad(self) -> bool:
        if self.base is not None and self.base.rebased != self.rebased:
            raise NotImplementedYet("a view used after the tensor it views took on another history in place")
        return self._requires_grad or self._grad_fn is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if wanted and not self.dtype.differentiable:
            raise GradError("only Tensors of floating point and complex dtype can require gradients")
        self.switch(wanted)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Record ops on this leaf from here on, or stop to; GradError for integers and non-leaves."""
        active.check_switch()
        self.switch(requires_grad)
        return self

    def switch(self, requires_grad: bool) -> None:
        """The same, inside a transform too."""
        grad_checks.check_switched(self.dtype, self.is_leaf, requires_grad)
        if self._grad_fn is None:
            self._requires_grad = requires_grad

    @property
    def grad_fn(self) -> Node | None:
        """The node that made it; None for a leaf."""
        return self._grad_fn

    @property
    def is_leaf(self) -> bool:
        return self._grad_fn is None

    @property
    def grad(self) -> Tensor | None:
        """What backward accumulated into it."""
        if self._grad is None and not self.is_leaf and not self.retains_grad:
            warnings.warn(grad_checks.GRAD_OF_INTERIOR, UserWarning, stacklevel=2)
        return self._grad

    @grad.setter
    def grad(self, new: Tensor | None) -> None:
        if new is not None:
            grad_checks.check_assigned(self, new)
        self._grad = new

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def retains_grad(self) -> bool:
        return self._grad_fn is not None and self.output_nr in self._grad_fn.retained

    def retain_grad(self) -> None:
        """Keep `.grad` of this non-leaf too."""
        grad_checks.check_retained(self)
        if self._grad_fn is not None:
            self._grad_fn.retained[self.output_nr] = weakref.ref(self)

    def attach(self, node: Node, number: int) -> Tensor:
        """This tensor as output `number` of `node`."""
        self._grad_fn, self.output_nr = node, number
        return self

    def forget(self) -> None:
        """Be a leaf that requires no grad."""
        self._requires_grad, self._grad_fn = False, None

    def accumulate_node(self) -> AccumulateGrad:
        """The one AccumulateGrad of this leaf."""
        node = self._accumulate() if self._accumulate else None
        if node is None:
            node = AccumulateGrad(self)
            self._accumulate = weakref.ref(node)
        return node

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Call `hook(grad)` when its gradient is known; a Tensor from it replaces the gradient."""
        if not self.requires_grad:
            raise GradError("cannot register a hook on a tensor that doesn't require gradient")
        hooks = self.hooks
        if self._grad_fn is not None:
            hooks = self._grad_fn.tensor_hooks.setdefault(self.output_nr, [])
        hooks.append(hook)
        return RemovableHandle(hooks, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """Call `hook(tensor)` after `.grad` of this leaf was accumulated."""
        if not self.is_leaf:
            raise GradError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        if not self.requires_grad:
            raise GradError("cannot register a hook on a tensor that doesn't require gradient")
        self.accumulated_hooks.append(hook)
        return RemovableHandle(self.accumulated_hooks, hook)

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Tensor | Sequence[Tensor] | None = None,
    ) -> None:
        """Accumulate the gradients of the leaves behind it; without `gradient` it must have one element."""
        from engine.eager.sweep import backward

        backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def detach(self) -> Tensor:
        """The same memory and version counter, without history."""
        found = Tensor(self.array, self.meta, levels=self.levels)
        found.storage = self.storage
        return found

    @property
    def data(self) -> Tensor:
        """The same memory without history, and with a version counter of its own."""
        return Tensor(self.array, self.meta, levels=self.levels)


def type_of(array: np.ndarray[Any, Any]) -> Type:
    """The Type of a numpy array, with its strides."""
    dtype = dt.dtype(array.dtype)
    if array.flags.c_contiguous:
        return Type(array.shape, dtype)
    return strided(array.shape, dtype, tuple(step // array.itemsize for step in array.strides))
