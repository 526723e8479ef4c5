"""Custom Functions: a node of the backward graph whose forward and backward are a user's own.

    class Exp(Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            (y,) = ctx.saved_tensors
            return g * y

    y = Exp.apply(x)    # y.grad_fn is ctx, and its name is ExpBackward

`forward` is not recorded, so `backward` is the whole derivative; written with ops, it can be differentiated
again.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.builder import Functions
from engine.dtypes import bool_
from engine.eager.node import Node, SavedResult, check_version, edge_of
from engine.eager.tensor import Tensor
from engine.errors import ArgumentError, GradError, GraphFreed, NotImplementedYet, ShapeError
from engine.grad_mode import is_grad_enabled, no_grad
from engine.levels import union
from engine.pullback import fit
from engine.types import Type, sums_to


class Context(Node):
    """What `forward` and `backward` of one call share, and the grad_fn of its results.

    Any attribute may be set on it. `needs_input_grad` tells for each argument whether it requires grad.
    """

    function: type[Function]

    def __init__(self, arguments: Sequence[Any]) -> None:
        self.needs_input_grad = tuple(isinstance(each, Tensor) and each.requires_grad for each in arguments)
        recorded = is_grad_enabled() and any(self.needs_input_grad)
        self._inputs = [at for at, each in enumerate(arguments) if isinstance(each, Tensor)]
        super().__init__(tuple(edge_of(arguments[at]) for at in self._inputs) if recorded else ())
        self.recorded = recorded
        self._arguments = [each.meta if isinstance(each, Tensor) else None for each in arguments]
        self._to_save: tuple[Any, ...] = ()
        self._saved: tuple[Any, ...] = ()
        self._versions: list[tuple[Tensor, int]] = []
        self._freed = False
        self._constant: set[int] = set()
        self._materialize = True
        self._types: list[Type | None] = []

    def __repr__(self) -> str:
        return f"<torch.autograd.function.{type(self).__name__} object at {id(self):#x}>"

    # -- what forward may call

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors (or None) for `saved_tensors`; they are watched for changes in place."""
        for at, each in enumerate(tensors):
            if each is not None and not isinstance(each, Tensor):
                found = f"argument {at} is of type {type(each).__name__}"
                raise ArgumentError(f"save_for_backward can only save variables, but {found}")
        self._to_save = tensors

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """These outputs do not require grad."""
        self._constant = {id(each) for each in outputs}

    def mark_dirty(self, *inputs: Tensor) -> None:
        """Refused: a Function may not change its inputs yet."""
        raise NotImplementedYet("mark_dirty is not implemented yet: a Function may not change its inputs")

    def set_materialize_grads(self, value: bool) -> None:
        """Whether `backward` gets zeros (the default) or None for an output that nothing depends on."""
        self._materialize = value

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What `save_for_backward` kept; GraphFreed after a backward without `retain_graph`."""
        if self._freed:
            raise GraphFreed
        found = tuple(each.unpack(self) if isinstance(each, SavedResult) else each for each in self._saved)
        for tensor, version in self._versions:
            check_version(tensor, version)
        return found

    # -- around forward and backward

    def adopt(self, results: Sequence[Any], arguments: Sequence[Any]) -> list[Any]:
        """The results of forward as outputs of this node; what it asked to keep is kept."""
        given = {id(each) for each in arguments}
        outputs: list[Any] = []
        for number, each in enumerate(results):
            if isinstance(each, Tensor):
                constant = id(each) in self._constant
                if id(each) in given:
                    each = Tensor(each.array, each.meta, base=each)  # an argument handed back: a view of it
                each.forget()
                if self.recorded and not constant and each.dtype.differentiable:
                    each.attach(self, number)
            outputs.append(each)
        self._types = [each.meta if isinstance(each, Tensor) else None for each in outputs]
        self.outputs, self.levels = tuple(each or _NO_TENSOR for each in self._types), union(outputs)
        if self.recorded:
            self._keep(outputs)
        return outputs

    def _keep(self, outputs: Sequence[Any]) -> None:
        own = {id(each) for each in outputs if isinstance(each, Tensor) and each.grad_fn is self}
        for each in self._to_save:
            kept = SavedResult(each, each.output_nr) if id(each) in own else each
            self._saved += (kept,)
            if each is not None:
                watched = kept.detached if isinstance(kept, SavedResult) else each
                self._versions.append((watched, watched.version))
        self._to_save = ()

    def backward(self, gradients: list[Any], F: Functions) -> list[Any]:
        found = self.function.pullback()(self, *map(self._cotangent, gradients, self._types))
        cotangents = list(found) if isinstance(found, tuple) else [found]
        count = len(self._arguments)
        if all(each is None for each in cotangents[count:]):
            del cotangents[count:]
        if len(cotangents) != count:
            raise GradError(
                f"function {self.name()} returned an incorrect number of gradients "
                f"(expected {count}, got {len(cotangents)})"
            )
        for at, (cotangent, meta) in enumerate(zip(cotangents, self._arguments, strict=True)):
            cotangents[at] = self._fitted(F, at, cotangent, meta)
        return [cotangents[at] for at in self._inputs]

    def _cotangent(self, gradient: Any, meta: Type | None) -> Any:
        if gradient is None and meta is not None and self._materialize:
            return Tensor(np.zeros(meta.shape, meta.dtype.numpy))
        return gradient

    def _fitted(self, F: Functions, at: int, cotangent: Any, meta: Type | None) -> Any:
        """`cotangent` summed and cast to argument `at`."""
        if cotangent is None:
            return None
        if meta is None:
            raise GradError(
                f"function {self.name()} returned a gradient different than None at position {at + 1}, "
                "but the corresponding forward input was not a Variable"
            )
        if not isinstance(cotangent, Tensor):
            raise GradError(f"expected Variable or None (got {type(cotangent).__name__})")
        if not sums_to(cotangent.meta.shape, meta.shape):
            raise ShapeError(
                f"Function {self.name()} returned an invalid gradient at index {self._inputs.index(at)} - "
                f"got {list(cotangent.shape)} but expected shape compatible with {list(meta.shape)}"
            )
        return fit(F, cotangent, meta) if self.needs_input_grad[at] else None

    def release(self) -> None:
        self._saved, self._versions, self._freed = (), [], True


class Function:
    """The base of a custom Function: override the static methods `forward(ctx, *args)` and
    `backward(ctx, *gradients)`, and call it by `apply`.

    `backward` gives one gradient (or None) for each argument of `forward`. Instead of taking `ctx`, `forward`
    may leave it to a static method `setup_context(ctx, inputs, output)`.
    """

    node: type[Context] = Context

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.node = type(f"{cls.__name__}Backward", (Context,), {"function": cls})

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """The result of the call, from a context and the arguments of `apply`."""
        raise NotImplementedYet("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Keep on `ctx` what backward needs, where `forward` takes no ctx."""
        raise NotImplementedYet("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """The gradients of the arguments from those of the results. `vjp` is another name for it."""
        raise NotImplementedYet(
            "You must implement either the backward or vjp method for your custom autograd.Function to use "
            "it with backward mode AD."
        )

    vjp = backward

    @classmethod
    def pullback(cls) -> Any:
        """Its backward, under either name."""
        if cls.vjp is Function.vjp:
            return cls.backward
        if cls.backward is not Function.backward:
            raise GradError(
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should "
                "only implement one of them."
            )
        return cls.vjp

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Call it: run `forward` unrecorded, and record one node for the whole of it."""
        separate = cls.setup_context is not Function.setup_context
        arguments = _positional(cls.forward, args, kwargs, skip=0 if separate else 1)
        ctx = cls.node(arguments)
        with no_grad():
            if separate:
                found = cls.forward(*arguments)
                cls.setup_context(ctx, arguments, found)
            else:
                found = cls.forward(ctx, *arguments)
        several = isinstance(found, tuple)
        outputs = ctx.adopt(found if several else (found,), arguments)
        return tuple(outputs) if several else outputs[0]


_NO_TENSOR = Type((), bool_)  # stands for a result that is no tensor


def _positional(forward: Any, args: tuple[Any, ...], kwargs: dict[str, Any], skip: int) -> tuple[Any, ...]:
    """The arguments of a call in the order of forward's parameters; with setup_context, defaults too."""
    if skip and not kwargs:
        return args
    bound = inspect.signature(forward).bind(*[None] * skip, *args, **kwargs)
    if not skip:
        bound.apply_defaults()
    if bound.kwargs:
        raise ArgumentError(f"forward() got an unexpected keyword argument '{next(iter(bound.kwargs))}'")
    return bound.args[skip:]
