"""Calls bound to parameters: each value matched and checked, then operands and settings apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine.dtypes import dtype as to_dtype
from engine.errors import ArgumentError, UnknownField
from engine.signature import LISTS, MISSING, Bound, Param, is_number
from engine.types import Type, wrap_dim, wrap_dims

_VARIADIC = frozenset({"Shape", "Dims", "Order", "Keys"})
_RANKED = _VARIADIC | {"Dim", "NewDim"}  # kinds that are normalised against the operands
_OVERLOADED = frozenset({"linspace", "hsplit", "vsplit", "dsplit"})  # torch tries one after the other
_SYNONYMS = {"self": "input", "axis": "dim", "keepdims": "keepdim", "x": "input"}
_SYNONYMS |= {"split_size": "split_size_or_sections", "value": "src"}
_SYNONYMS |= dict.fromkeys(("indices", "sections"), "indices_or_sections")


def match(op: str, params: tuple[Param, ...], args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
    """The value of each parameter, in order, for a call; ArgumentError or UnknownField if it does not fit."""
    values: list[Any] = [MISSING] * len(params)
    if params and params[0].name in kwargs and _leads(params[0], args):  # a statement's attrs have it
        kwargs = dict(kwargs)
        args = [kwargs.pop(params[0].name), *args]
    if len(args) == 2 and type(args[1]) is bool and _is_unbiased(params):
        kwargs, args = {"unbiased": args[1], **kwargs}, args[:1]
    args = _gather_variadic(params, args)
    if len(args) > len(params) or (args and params[len(args) - 1].keyword_only):
        allowed = sum(not p.keyword_only for p in params)
        raise ArgumentError(
            f"{op}() takes {allowed} positional arguments but {len(args)} were given",
            expected=allowed,
            actual=len(args),
        )
    values[: len(args)] = args
    for name, value in kwargs.items():
        position = _position(op, params, name)
        if values[position] is not MISSING:
            raise ArgumentError(f"{op}() got multiple values for argument '{name}'")
        values[position] = value
    for position, (param, value) in enumerate(zip(params, values, strict=True)):
        if value is MISSING:
            if param.default is MISSING:
                pairs = zip(params, values, strict=True)
                missing = [p.name for p, v in pairs if v is MISSING and p.default is MISSING]
                quoted = ", ".join(f'"{name}"' for name in missing)
                raise ArgumentError(f"{op}() missing {len(missing)} required positional arguments: {quoted}")
            values[position] = param.default
        else:
            values[position] = _check(op, position, param, value, args if op in _OVERLOADED else ())
    return values


def _is_unbiased(params: tuple[Param, ...]) -> bool:
    """Whether torch has an overload `(input, unbiased)` beside the one with dims: of var and its kin."""
    return len(params) > 1 and params[1].kind == "Dims" and any(param.name == "unbiased" for param in params)


def _leads(param: Param, args: Sequence[Any]) -> bool:
    """Whether a first parameter that is no operand was named, and the positions begin behind it."""
    return param.kind == "str" or (param.kind == "int" and bool(args) and _is_value(args[0]))


def _gather_variadic(params: tuple[Param, ...], args: Sequence[Any]) -> Sequence[Any]:
    """`x.view(2, 3)` means `x.view((2, 3))`: trailing ints fill one Shape or Dims parameter; trailing tensors
    fill a last parameter that is a list of them."""
    for position, param in enumerate(params):
        last = all(later.keyword_only for later in params[position + 1 :])
        if param.kind == "Tensors" and last and all(map(_is_value, args[position:])):
            return [*args[:position], tuple(args[position:])]
        if param.kind in _VARIADIC:
            rest_of = [later for later in params[position + 1 :] if not later.keyword_only]
            if any(later.default is MISSING or later.kind in _VARIADIC for later in rest_of):
                return args
            rest = args[position:]
            if param.kind == "Keys" and not (len(rest) == 1 and isinstance(rest[0], tuple)):
                return [*args[:position], tuple(rest)]
            if rest and all(type(each) is int for each in rest) and (param.kind != "Dims" or len(rest) > 1):
                return [*args[:position], tuple(rest)]
            return args
        if not param.is_operand and param.kind != "str":
            return args
    return args


def positions(params: tuple[Param, ...]) -> dict[str, int]:
    """Where each parameter is, by its name and the names that torch takes for it too."""
    found = {param.name: at for at, param in enumerate(params)}
    return {name: found[known] for name, known in _SYNONYMS.items() if known in found} | found


def _position(op: str, params: tuple[Param, ...], name: str) -> int:
    for candidate in (name, _SYNONYMS.get(name)):
        for position, param in enumerate(params):
            if param.name == candidate:
                return position
    names = ", ".join(p.name for p in params)
    raise UnknownField(f"{op}() got an unexpected keyword argument '{name}'", expected=names)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_value(value: object) -> bool:
    return hasattr(value, "meta")


def _ints(value: object) -> bool:
    return isinstance(value, (tuple, list)) and all(_is_int(each) for each in value)


_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "Tensor": (lambda v: _is_value(v) or is_number(v), "Tensor"),
    "Tensor | Number": (lambda v: _is_value(v) or is_number(v), "Tensor or Number"),
    "Index": (_is_value, "Tensor"),
    "Mask": (_is_value, "Tensor"),
    "Fixed": (_is_value, "Tensor"),
    "Tensors": (lambda v: isinstance(v, (tuple, list)) and all(map(_is_value, v)), "tuple of Tensors"),
    "Indices": (
        lambda v: isinstance(v, (tuple, list)) and all(each is None or _is_value(each) for each in v),
        "tuple of Tensors",
    ),
    "Number": (is_number, "Number"),
    "Number | str": (lambda v: is_number(v) or isinstance(v, str), "Number or str"),
    "int": (_is_int, "int"),
    "float": (lambda v: isinstance(v, float) or _is_int(v), "float"),
    "bool": (lambda v: isinstance(v, bool), "bool"),
    "str": (lambda v: isinstance(v, str), "str"),
    "Dim": (_is_int, "int"),
    "NewDim": (_is_int, "int"),
    "Dims": (lambda v: _is_int(v) or _ints(v), "tuple of ints"),
    "Order": (lambda v: _is_int(v) or _ints(v), "tuple of ints"),
    "Shape": (lambda v: _is_int(v) or _ints(v), "tuple of ints"),
    "Sizes": (lambda v: _is_int(v) or _ints(v), "tuple of ints"),
    "Sizes | str": (lambda v: _is_int(v) or _ints(v) or isinstance(v, str), "tuple of ints or str"),
    "Data": (lambda v: is_number(v) or isinstance(v, (list, tuple)), "number or list"),
    "Keys": (lambda v: isinstance(v, tuple), "index"),
    "Level": (lambda v: hasattr(v, "randomness"), "level"),
}


def check_tensors(op: str, params: tuple[Param, ...], values: Sequence[Any]) -> None:
    """Refuse a number where a tensor is needed: only an elementwise op beside a tensor wraps it."""
    for position, (param, value) in enumerate(zip(params, values, strict=True)):
        if param.kind == "Tensor" and is_number(value):
            pairs = [
                (p.kind, v) for p, v in zip(params, values, strict=True) if p.is_operand and v is not None
            ]
            several = any(kind == "Tensor | Number" for kind, _ in pairs)
            raise no_overload(op, [v for _, v in pairs]) if several else _unfit(op, position, param, value)


def no_overload(op: str, values: Sequence[Any]) -> ArgumentError:
    """torch's error of a call that none of its overloads fits."""
    got = ("Tensor" if _is_value(v) or type(v) is Type else type(v).__name__ for v in values)
    return ArgumentError(
        f"{op}() received an invalid combination of arguments - got ({', '.join(got)}), but expected one of:"
    )


def _check(op: str, position: int, param: Param, value: Any, args: Sequence[Any] = ()) -> Any:
    if value is None:
        if param.optional:
            return None
    elif param.kind == "DType":
        return to_dtype(value)
    elif _CHECKS[param.kind][0](value):
        return tuple(value) if isinstance(value, list) else value
    if args and not (param.kind == "Number" and _is_value(value)):
        raise no_overload(op, args if position < len(args) else [*args, value])
    raise _unfit(op, position, param, value)


def _unfit(op: str, position: int, param: Param, value: Any) -> ArgumentError:
    if param.kind == "Tensors" and isinstance(value, (list, tuple)):
        at, other = next((at, each) for at, each in enumerate(value) if not _is_value(each))
        text = f"expected Tensor as element {at} in argument 0, but got {type(other).__name__}"
        return ArgumentError(text, expected="Tensor", actual=type(other).__name__)
    got = "Tensor" if _is_value(value) else type(value).__name__
    wanted = _CHECKS.get(param.kind, (0, "dtype"))[1]
    return ArgumentError(
        f"{op}(): argument '{param.name}' (position {position + 1}) must be {wanted}, not {got}",
        expected=wanted,
        actual=got,
    )


def defaults(params: tuple[Param, ...]) -> dict[str, Any] | None:
    """The settings of a call that gives every operand and nothing else; None if a call like that needs more
    than the operands: they do not come first, are lists, or a setting has to be given or depends on them."""
    count = sum(p.is_operand for p in params)
    leading, settings = params[:count], params[count:]
    if any(not p.is_operand or p.kind in LISTS or p.keyword_only for p in leading):
        return None
    ready = all(p.default is None or (p.default is not MISSING and p.kind not in _RANKED) for p in settings)
    return {p.name: p.default for p in settings} if ready else None


def split(params: tuple[Param, ...], values: Sequence[Any]) -> Bound:
    """Operands in a flat tuple, settings by name, dims wrapped to negative numbers."""
    operands: list[Any] = []
    attrs: dict[str, Any] = {}
    given: dict[str, Any] = {}
    for param, value in zip(params, values, strict=True):
        if param.kind in LISTS:
            operands.extend(value)
        elif param.is_operand:
            operands.append(value)
        else:
            lone = isinstance(value, int) and param.kind in ("Dims", "Order", "Shape")
            given[param.name] = (value,) if lone else value
            if value is not None and (operands or params[0].kind not in LISTS):
                value = _normalise(param.kind, value, _rank(params, operands))
            attrs[param.name] = value
    return Bound(tuple(operands), attrs, given)


def _rank(params: tuple[Param, ...], operands: list[Any]) -> int:
    """The rank that dims are counted in: the first operand's, a list's largest (cat skips empty ones)."""
    ranks = [each.meta.ndim for each in operands if _is_value(each)]
    return 0 if not ranks else max(ranks) if params[0].kind in LISTS else int(ranks[0])


def _normalise(kind: str, value: Any, rank: int) -> Any:
    if kind in ("Dim", "NewDim", "Dims", "Order"):
        if kind == "Dims":
            return wrap_dims((value,) if isinstance(value, int) else value, rank)
        if kind == "Order":
            value = (value,) if isinstance(value, int) else value
            return tuple(dim - rank if 0 <= dim < rank else dim for dim in value)  # the op checks the range
        return wrap_dim(value, rank + (kind == "NewDim"))
    if kind == "Shape" and isinstance(value, int):
        return (value,)
    return value
