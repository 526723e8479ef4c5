"""jacobian and hessian: a row for each element of the outputs, one after another or all at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine import func as transforms
from engine.autograd.arguments import OUTPUTS, Tensors, as_tuple, fresh, given_back, gradients, unpacked
from engine.autograd.products import check_number
from engine.autograd.strictness import check_recorded, constant, independent
from engine.eager import active
from engine.eager.builder import F
from engine.eager.tensor import Tensor
from engine.errors import AssertedArgumentError, GradError, NotImplementedYet, RuntimeArgumentError
from engine.func.jacobians import basis, split
from engine.grad_mode import enable_grad

_MODES = ("forward-mode", "reverse-mode")
_STRATEGY = 'Expected strategy to be either "forward-mode" or "reverse-mode".'
Rows = tuple[tuple[Tensor, ...], ...]  # by output, then by input


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of `func` at `inputs`: for each output and each input a tensor of shape output + input; in
    tuples of tuples where there are several of them.

    `vectorize` computes all rows at once, and `strategy="forward-mode"` all columns.
    """
    if strategy not in _MODES:
        raise AssertedArgumentError(
            f'{_STRATEGY} Hint: If your function has more outputs than inputs, "forward-mode" tends to be '
            'more performant. Otherwise, prefer to use "reverse-mode".'
        )
    if strategy == "forward-mode":
        return _forward(func, inputs, create_graph, strict, vectorize)
    active.check_switch()
    return _reverse(func, inputs, create_graph, strict, vectorize)


def _forward(func: Callable[..., Any], inputs: Any, create_graph: bool, strict: bool, vectorize: bool) -> Any:
    for asked, setting in ((create_graph, "create_graph"), (strict, "strict")):
        if asked:
            kind = NotImplementedYet if setting == "create_graph" else RuntimeArgumentError
            raise kind(
                f'torch.autograd.functional.jacobian: `{setting}=True` and `strategy="forward-mode"` are not '
                f'supported together (yet). Please either set `{setting}=False` or `strategy="reverse-mode"`.'
            )
    several, xs = as_tuple(inputs, "inputs", "jacobian")
    if not vectorize:
        raise NotImplementedYet(
            "Computing Jacobian using forward-AD or forward-over-reverse Hessian isonly implemented for "
            "`vectorize=True`."
        )
    found = transforms.jacfwd(func, tuple(range(len(xs))))(*xs)
    alone = isinstance(found[0], Tensor)
    by_output = (found,) if alone else found
    return unpacked([unpacked(each, several) for each in by_output], not alone)


def _reverse(func: Callable[..., Any], inputs: Any, create_graph: bool, strict: bool, vectorize: bool) -> Any:
    with enable_grad():
        several, xs = as_tuple(inputs, "inputs", "jacobian")
        xs = fresh(xs, create_graph=create_graph)
        several_out, ys = as_tuple(func(*xs), OUTPUTS, "jacobian")
        check_recorded(ys, "outputs", strict)
        if vectorize and strict:
            raise RuntimeArgumentError(
                "torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported "
                "together. Please either set `strict=False` or `vectorize=False`."
            )
        rows = _at_once(ys, xs, create_graph) if vectorize else _by_rows(ys, xs, create_graph, strict)
        rows = given_back(rows, create_graph)
    return unpacked([unpacked(each, several) for each in rows], several_out)


def _at_once(ys: Tensors, xs: Tensors, create_graph: bool) -> Rows:
    flat = [F.reshape(y, (y.meta.numel,)) for y in ys]
    found = gradients(flat, xs, basis(flat), create_graph=create_graph, is_grads_batched=True)
    count = sum(y.meta.numel for y in ys)
    by_input = []
    for x, each in zip(xs, found, strict=True):
        rows = F.expand(F.zeros_like(x), (count, *x.meta.shape)) if each is None else each
        parts = zip(ys, split(rows, ys), strict=True)
        by_input.append([F.reshape(part, (*y.meta.shape, *x.meta.shape)) for y, part in parts])
    return tuple(zip(*by_input, strict=True))


def _by_rows(ys: Tensors, xs: Tensors, create_graph: bool, strict: bool) -> Rows:
    found = []
    for number, y in enumerate(ys):
        columns: list[list[Tensor]] = [[] for _ in xs]
        for place in range(y.meta.numel):
            element = F.select(F.reshape(y, (y.meta.numel,)), 0, place)
            row = gradients([element], xs, retain_graph=True, create_graph=create_graph)
            for index, (column, each) in enumerate(zip(columns, row, strict=True)):
                if strict:
                    _check_dependent(each, number, index, create_graph)
                column.append(F.zeros_like(xs[index]) if each is None else each)
        stacked = (F.stack(column, 0) for column in columns)
        found.append(
            tuple(F.view(each, (*y.meta.shape, *x.meta.shape)) for each, x in zip(stacked, xs, strict=True))
        )
    return tuple(found)


def _check_dependent(row: Tensor | None, output: int, index: int, create_graph: bool) -> None:
    if row is None:
        raise GradError(independent(output, index))
    if create_graph and not row.requires_grad:
        raise GradError(constant("jacobian", output))  # torch names the output's number here


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The Hessian of `func`, which gives one number, at `inputs`: a tensor of shape input + input, or a tuple
    of tuples of them, a pair of inputs each."""
    several, xs = as_tuple(inputs, "inputs", "hessian")
    if outer_jacobian_strategy not in _MODES:
        raise AssertedArgumentError(_STRATEGY)

    def number(*args: Tensor) -> Any:
        several_out, ys = as_tuple(func(*args), OUTPUTS, "hessian")
        check_recorded(ys, "outputs", strict)
        check_number(ys, several_out, "hessian")
        return F.squeeze(ys[0])

    def slope(*args: Tensor) -> Any:
        found = _reverse(number, args, True, False, False)
        check_recorded(found, "jacobian", strict)
        return found

    settings = {"create_graph": create_graph, "strict": strict, "vectorize": vectorize}
    found = jacobian(slope, xs, strategy=outer_jacobian_strategy, **settings)
    return unpacked([unpacked(each, several) for each in found], several)
