"""torch.func for a recorder: a transform of a function is a statement with a body.

The function is called on placeholders, and what it calls meanwhile is the body; values from outside are read
there by their names. Trees of tensors are taken apart and put together again around the statement.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import engine
from engine.func import trees
from engine.func.arguments import chosen, replaced, without_aux
from tests.engine.building import Json
from tests.engine.recorder import Recorder, plain

Call = Callable[..., Any]


class Function(NamedTuple):
    """A function as it was called on placeholders. It yields its outputs, then what it gives beside them."""

    args: list[Any]
    inside: trees.Structure  # of the arguments
    body: Json
    yields: list[engine.Tensor]  # what they are like
    outside: trees.Structure  # of the outputs
    beside: trees.Structure

    @property
    def likes(self) -> list[engine.Tensor]:
        """What the arguments are like."""
        return [each.like for each in self.args]

    @property
    def outputs(self) -> list[engine.Tensor]:
        """What the outputs are like."""
        return self.yields[: self.outside.leaves]

    def given(self, found: Sequence[Any]) -> tuple[Any, Any]:
        """(output, aux) of what it yields."""
        count = self.outside.leaves
        return trees.unflatten(found[:count], self.outside), trees.unflatten(found[count:], self.beside)


class By:
    """The tensors that a Jacobian is by, of all those in the arguments."""

    def __init__(self, argnums: Any, args: Sequence[Any]) -> None:
        places = chosen(argnums, len(args))
        leaves, self._structure = trees.flatten(tuple(args[place] for place in places))
        counts = [trees.flatten(each)[1].leaves for each in args]
        self.numbers = [sum(counts[:place]) + at for place in places for at in range(counts[place])]
        self.likes = [each.like for each in leaves]
        self._one = not isinstance(argnums, tuple)

    def trees(self, found: Sequence[Any]) -> list[Any]:
        """Rows with an entry for each, end to end, in the structure of the arguments."""
        width = len(self.likes)
        rows = [
            trees.unflatten(found[at : at + width], self._structure) for at in range(0, len(found), width)
        ]
        return [row[0] for row in rows] if self._one else rows


class Transforms:
    """torch.func. How a result is computed (`chunk_size`) is nothing that a program says."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def vmap(
        self, func: Call, in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", **_: Any
    ) -> Call:
        def batched(*args: Any) -> Any:
            leaves, structure = trees.flatten(args)
            dims = trees.spread(in_dims, structure) or []
            pairs = list(zip(leaves, dims, strict=True))
            size = next(x.shape[dim] for x, dim in pairs if dim is not None)
            samples = [x.like if dim is None else x.like.select(dim, 0) for x, dim in pairs]
            function = self.function(func, args, samples=samples)
            out = trees.spread(out_dims, function.outside) or []
            likes = [_stacked(each, size, dim) for each, dim in zip(function.yields, out, strict=True)]
            attrs = {"in_dims": in_dims if isinstance(in_dims, int) else dims, "randomness": randomness}
            attrs["out_dims"] = out_dims if isinstance(out_dims, int) else out
            return function.given(self.write("vmap", function, likes, **attrs))[0]

        return batched

    def grad(self, func: Call, argnums: Any = 0, has_aux: bool = False) -> Call:
        def gradient(*args: Any) -> Any:
            found, _, aux = self._gradient(func, argnums, args, has_aux, values=has_aux)
            return (found, aux) if has_aux else found

        return gradient

    def grad_and_value(self, func: Call, argnums: Any = 0, has_aux: bool = False) -> Call:
        def both(*args: Any) -> Any:
            found, value, aux = self._gradient(func, argnums, args, has_aux, values=True)
            return found, ((value, aux) if has_aux else value)

        return both

    def _gradient(self, func: Call, argnums: Any, args: Any, has_aux: bool, *, values: bool) -> Any:
        places = chosen(argnums, len(args))
        by = tuple(args[place] for place in places)
        seeds = [1.0] if has_aux else []  # the one output of one element needs none
        found, output, aux = self.pulled(
            lambda *new: func(*replaced(args, places, new)), by, seeds, has_aux, values=values
        )
        return found if isinstance(argnums, tuple) else found[0], output, aux

    def vjp(self, func: Call, *primals: Any, has_aux: bool = False) -> Any:
        output, aux = without_aux(func(*primals), has_aux, "vjp")

        def pull(cotangents: Any) -> Any:
            return self.pulled(func, primals, trees.flatten(cotangents)[0], has_aux)[0]

        return (output, pull, aux) if has_aux else (output, pull)

    def pulled(
        self, func: Call, primals: Any, seeds: Sequence[Any], has_aux: bool = False, *, values: bool = False
    ) -> tuple[Any, Any, Any]:
        """(cotangents of the primals, output, aux), these two if the `values` are to be named."""
        function = self.function(func, primals, has_aux)
        seeds = [*seeds, *map(self._zeros, function.yields[len(seeds) :])] if seeds else []
        found = self.write("vjp", function, function.likes, seeds, values=values)
        count = len(found) - len(function.args)
        output, aux = function.given(found[:count]) if values else (None, None)
        return trees.unflatten(found[count:], function.inside), output, aux

    def _zeros(self, like: engine.Tensor) -> Any:
        """The cotangent of what is not differentiated."""
        return self.recorder.call("zeros", engine.zeros, tuple(like.shape), dtype=like.dtype)

    def jvp(self, func: Call, primals: Any, tangents: Any, has_aux: bool = False) -> Any:
        function = self.function(func, primals, has_aux)
        count, total = len(function.outputs), len(function.yields)
        likes = [*function.outputs, *[None] * (total - count)]
        found = self.write("jvp", function, likes, trees.flatten(tangents)[0], values=True)
        output, aux = function.given(found[:total])
        tangent = trees.unflatten(found[total : total + count], function.outside)
        return (output, tangent, aux) if has_aux else (output, tangent)

    def jacrev(self, func: Call, argnums: Any = 0, has_aux: bool = False, **_: Any) -> Call:
        return lambda *args: self._jacobian(func, argnums, args, has_aux, "reverse")

    def jacfwd(self, func: Call, argnums: Any = 0, has_aux: bool = False) -> Call:
        return lambda *args: self._jacobian(func, argnums, args, has_aux, "forward")

    def _jacobian(self, func: Call, argnums: Any, args: Any, has_aux: bool, mode: str) -> Any:
        function, by = self.function(func, args, has_aux), By(argnums, args)
        likes: list[Any] = [_joined(y, x) for y in function.outputs for x in by.likes]
        unused = [None] * (len(function.yields) * len(by.likes) - len(likes))
        found = self.write(
            "jacobian", function, [*likes, *unused], values=has_aux, argnums=by.numbers, mode=mode
        )
        start = len(function.yields) if has_aux else 0
        answer = trees.unflatten(by.trees(found[start : start + len(likes)]), function.outside)
        return (answer, function.given(found[:start])[1]) if has_aux else answer

    def hessian(self, func: Call, argnums: Any = 0) -> Call:
        def second(*args: Any) -> Any:
            function, by = self.function(func, args), By(argnums, args)
            if function.yields[0].ndim:  # the statement is of one number
                return self.jacfwd(self.jacrev(func, argnums), argnums)(*args)
            likes = [_joined(x, y) for x in by.likes for y in by.likes]
            found = self.write("hessian", function, likes, argnums=by.numbers)
            return by.trees(by.trees(found))[0]

        return second

    def hvp(self, func: Call, primals: Any, v: Sequence[Any]) -> tuple[Any, Any]:
        """(output, the Hessian times v)."""
        function = self.function(func, primals)
        output, *found = self.write("hvp", function, function.likes, v, values=True)
        return output, tuple(found)

    def function(self, func: Call, args: Any, has_aux: bool = False, *, samples: Any = None) -> Function:
        """Call `func` on placeholders like `args`, or like `samples`."""
        leaves, inside = trees.flatten(args)
        likes = [each.like for each in leaves] if samples is None else samples
        params = [self.recorder.new(each, "p") for each in likes]
        with self.recorder.inside() as do:
            output, aux = without_aux(func(*trees.unflatten(params, inside)), has_aux, "body")
        outputs, outside = trees.flatten(output)
        more, beside = trees.flatten(aux if has_aux else ())
        yields = [*outputs, *more]
        body = {"params": plain(params), "do": do, "yield": plain(yields)}
        return Function(leaves, inside, body, [each.like for each in yields], outside, beside)

    def write(
        self,
        kind: str,
        function: Function,
        likes: Sequence[engine.Tensor | None],
        more: Sequence[Any] = (),
        *,
        values: bool = False,
        **attrs: Any,
    ) -> list[Any]:
        """The statement of a transform; its results are what the function yields, if the `values` are to be
        named, and others like `likes`."""
        statement = {"op": kind, "in": [*function.args, *more], "body": function.body}
        return self.recorder.write(statement, attrs, [*(function.yields if values else ()), *likes])


def _joined(output: engine.Tensor, input: engine.Tensor) -> engine.Tensor:
    return engine.zeros((*output.shape, *input.shape), dtype=output.dtype)


def _stacked(sample: engine.Tensor, size: int, dim: int) -> engine.Tensor:
    return engine.stack([sample] * size, dim)
