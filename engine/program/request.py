"""What is asked of a program: inputs, outputs, gradients, and what tells two requests apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypedDict

from engine import dtypes
from engine.eager.tensor import Tensor
from engine.errors import ArgumentError, Pointer, ValueArgumentError
from engine.language.notation import fields

_BACKWARD_FIELDS = frozenset({"tensor", "gradient", "inputs", "retain_graph", "create_graph"})
_FLAGS = ("retain_graph", "create_graph")
_ROUTES: dict[str, tuple[str, ...]] = {  # what may be said on each, beside what may be said on all
    "backward": ("gradient", "backward"),
    "forward": (),
    "vjp": ("gradient", "is_grads_batched"),
    "jvp": ("tangents",),
    "jacobian": ("mode",),
    "hessian": (),
    "hvp": ("v",),
}
_OWN = {
    "gradient": None,
    "backward": None,
    "is_grads_batched": False,
    "tangents": None,
    "mode": "reverse",
    "v": None,
}


Gradient = Tensor | dict[str, Tensor | None] | None  # of the last output, or of several by name
BackwardCalls = Sequence[dict[str, Any]] | None


class Settings(TypedDict, total=False):
    """What a request may say. `grads` are earlier `.grad` values of inputs; `trace` is true, false or
    "values"; `default_dtype` names the dtype of Python floats. `batch` names the inputs that have a batch
    axis in front, `{"inputs", "grads", "randomness"}`. With `detect_anomaly` the first nan is refused by its
    place. `mode` ("reverse" or "forward") is for the route "jacobian", `is_grads_batched` (an axis of
    cotangents in front of each gradient) for "vjp".
    """

    grads: dict[str, Tensor] | None
    trace: bool | str
    seed: int
    default_dtype: str
    batch: dict[str, Any] | None
    detect_anomaly: bool
    mode: str
    is_grads_batched: bool


class Request:
    """What is asked of a program. `key` tells requests that one plan can serve; `arrays` are its inputs."""

    grads: Mapping[str, Tensor] = MappingProxyType({})
    gradient: Gradient = None
    backward: BackwardCalls = None
    batch: dict[str, Any] | None = None
    tangents: dict[str, Tensor] | None = None
    v: dict[str, Tensor] | None = None
    mode = "reverse"
    is_grads_batched = False

    def __init__(
        self,
        inputs: dict[str, Tensor],
        *,
        route: str = "backward",
        outputs: Sequence[str] | None = None,
        gradient: Gradient = None,
        backward: BackwardCalls = None,
        grads: dict[str, Tensor] | None = None,
        trace: bool | str = True,
        seed: int = 0,
        default_dtype: str = "float32",
        batch: dict[str, Any] | None = None,
        detect_anomaly: bool = False,
        tangents: dict[str, Tensor] | None = None,
        v: dict[str, Tensor] | None = None,
        mode: str = "reverse",
        is_grads_batched: bool = False,
    ) -> None:
        self.inputs, self.route, self.trace, self.seed = inputs, route, trace, seed
        self.outputs = None if outputs is None else tuple(outputs)
        self.detect_anomaly = detect_anomaly
        self.default_dtype = dtypes.dtype(default_dtype)
        self.arrays: list[Any] = []
        kinds = []
        for name, each in inputs.items():
            self.arrays.append(each.array)
            meta = each.meta
            kinds.append((name, meta.shape, meta.dtype, meta.strides, each.requires_grad))
        self.key: tuple[Any, ...] = (route, self.outputs, trace, self.default_dtype, detect_anomaly, *kinds)
        if not (
            gradient is None
            and backward is None
            and tangents is None
            and v is None
            and batch is None
            and not (is_grads_batched or grads)
            and mode == "reverse"
            and route in _ROUTES
            and trace in (True, False)
        ):
            self.grads, self.gradient, self.backward, self.batch = grads or {}, gradient, backward, batch
            self.tangents, self.v, self.mode, self.is_grads_batched = tangents, v, mode, is_grads_batched
            self._check()
            self._take_more()

    def _take_more(self) -> None:
        """What is said beside the inputs, into the key and the arrays."""
        self.arrays += [each.array for each in self.grads.values()]
        self.key = (
            self.key,
            tuple((name, each.meta) for name, each in self.grads.items()),
            self._take(self.gradient),
            None if self.backward is None else tuple(self._take(each) for each in self.backward),
            self._take(self.tangents),
            self._take(self.v),
            (self.mode, self.is_grads_batched, self._take(self.batch)),
        )

    def _check(self) -> None:
        if self.route not in _ROUTES:
            raise ValueArgumentError(f"route is one of {', '.join(_ROUTES)}", pointer=("route",))
        if self.trace not in (True, False, "values"):
            raise ValueArgumentError('trace is true, false or "values"', pointer=("trace",))
        if self.gradient is not None and self.backward is not None:
            raise ArgumentError('"gradient" and "backward" are two forms of the same', pointer=("gradient",))
        for name, default in _OWN.items():
            given = getattr(self, name)
            said = given is not default if default is None else given != default
            if said and name not in _ROUTES[self.route]:
                raise ArgumentError(f"{self.route} takes no {name}", pointer=(name,))
        if self.mode not in ("reverse", "forward"):
            raise ValueArgumentError('mode is "reverse" or "forward"', pointer=("mode",))
        for at, entry in enumerate(self.backward or ()):
            _check_entry(entry, ("backward", at))

    def _take(self, given: Any) -> Any:
        """The part of the key that `given` is, its tensors' arrays added to the inputs."""
        if isinstance(given, Tensor):
            self.arrays.append(given.array)
            return given.meta
        if isinstance(given, dict):
            return tuple((name, self._take(each)) for name, each in given.items())
        return tuple(given) if isinstance(given, (list, tuple)) else given


def _check_entry(entry: Any, pointer: Pointer) -> None:
    fields(entry, _BACKWARD_FIELDS, pointer)
    if not isinstance(entry.get("tensor"), str):
        raise ArgumentError("backward: tensor is an id", pointer=(*pointer, "tensor"))
    for name in _FLAGS:
        if entry.get(name) is not None and not isinstance(entry[name], bool):
            raise ArgumentError(f"{name} is true or false", pointer=(*pointer, name))
    inputs = entry.get("inputs")
    if inputs is not None and not (
        isinstance(inputs, (list, tuple)) and all(isinstance(x, str) for x in inputs)
    ):
        raise ArgumentError("backward: inputs is a list of ids", pointer=(*pointer, "inputs"))
    gradient = entry.get("gradient")
    if gradient is not None and not isinstance(gradient, Tensor):
        raise ArgumentError(
            f"gradients can be either Tensors or None, but got {type(gradient).__name__}",
            pointer=(*pointer, "gradient"),
        )
