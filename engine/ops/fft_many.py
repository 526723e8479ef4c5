"""torch.fft along two or any dims."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine.define import composite
from engine.dtypes import COMPLEX
from engine.errors import DTypeError, RuntimeArgumentError
from engine.op import Op, refused, sample
from engine.ops.fft import NORMS, check_points, dims, normalization, promoted, resized
from engine.signature import Dims, Shape, Tensor

Sizes = Sequence[int] | None


def _some(name: str, along: Sequence[int]) -> None:
    if not along:
        raise RuntimeArgumentError(f"{name} must transform at least one axis")


def _complex(F: Any, input: Any, s: Sizes, dim: Sizes, norm: Any, forward: bool) -> Any:
    """fftn and ifftn."""
    input = promoted(F, input, to_complex=True)
    along, sizes = dims(input, s, dim)
    input = resized(F, input, along, sizes)
    return F._fft_c2c(input, tuple(along), normalization(norm, forward), forward)


def _rfftn(F: Any, input: Any, s: Sizes, dim: Sizes, norm: Any, forward: bool) -> Any:
    if input.meta.dtype.category == COMPLEX:
        raise DTypeError(f"rfftn expects a real-valued input tensor, but got {input.meta.dtype.title}")
    input = promoted(F, input, to_complex=False)
    along, sizes = dims(input, s, dim)
    _some("rfftn", along)
    input = resized(F, input, along, sizes)
    return F._fft_r2c(input, tuple(along), normalization(norm, True), True)


def _halved(name: str, input: Any, s: Sizes, dim: Sizes) -> tuple[list[int], list[int], int]:
    """The dims, the sizes of the half that is given, and the size of the last dim of the result."""
    along, sizes = dims(input, s, dim)
    _some(name, along)
    given = s[-1] if s is not None else -1
    size = 2 * (input.meta.shape[along[-1]] - 1) if given == -1 else given
    check_points(size)
    return along, [*sizes[:-1], size // 2 + 1], size


def _irfftn(F: Any, input: Any, s: Sizes, dim: Sizes, norm: Any, forward: bool) -> Any:
    input = promoted(F, input, to_complex=True)
    along, sizes, last = _halved("irfftn", input, s, dim)
    input = resized(F, input, along, sizes)
    return F._fft_c2r(input, tuple(along), normalization(norm, False), last)


def _hfftn(F: Any, input: Any, s: Sizes, dim: Sizes, norm: Any, forward: bool) -> Any:
    input = promoted(F, input, to_complex=True)
    along, sizes, last = _halved("hfftn", input, s, dim)
    input = resized(F, input, along, sizes)
    number = normalization(norm, True)
    if len(along) > 1:
        input = F._fft_c2c(input, tuple(along[:-1]), number, True)
    return F._fft_c2r(F.conj(input), (along[-1],), number, last)


def _ihfftn(F: Any, input: Any, s: Sizes, dim: Sizes, norm: Any, forward: bool) -> Any:
    if input.meta.dtype.category == COMPLEX:
        raise DTypeError(f"Only supports floating-point dtypes, but found: {input.meta.dtype.title}")
    input = promoted(F, input, to_complex=False)
    along, sizes = dims(input, s, dim)
    _some("ihfftn", along)
    input = resized(F, input, along, sizes)
    number = normalization(norm, False)
    half = F._fft_r2c(input, (along[-1],), number, True)
    if len(along) == 1:
        return F.conj(half)
    return F._fft_c2c(F.conj_physical(half), tuple(along[:-1]), number, False)


_ALONG_MANY: dict[str, tuple[Callable[..., Any], bool, str]] = {
    "fft": (_complex, True, "The discrete Fourier transform along {dims}, of {sizes} elements."),
    "ifft": (_complex, False, "The inverse of `fft{kind}`."),
    "rfft": (_rfftn, True, "The transform of a real tensor along {dims}: half of the last of them."),
    "irfft": (_irfftn, False, "The inverse of `rfft{kind}`: real; `s` gives the size of its last dim."),
    "hfft": (_hfftn, True, "The transform of a signal that is Hermitian in its last dim: real."),
    "ihfft": (_ihfftn, False, "The inverse of `hfft{kind}`: half of a signal that is Hermitian."),
}


def _listed(value: Any) -> Sizes:
    return (value,) if isinstance(value, int) else value


def _define(name: str, kind: str) -> Op:
    transform, forward, summary = _ALONG_MANY[name]
    default = (-2, -1) if kind == "2" else None
    real = name in ("rfft", "ihfft")

    def samples(make: Any) -> list[Any]:
        def made(*shape: int) -> Any:
            return make(*shape) if real else make(*shape) + 1j * make(*shape)

        return [
            sample(made(2, 4)),
            sample(make(3, 3), (2, 4), (0, 1), "ortho"),
            sample(made(2, 3, 2), dim=(2, 0), norm="forward"),
            sample(make(4, 2), s=(3,), dim=(0,)),
        ]

    def refusals(make: Any) -> list[Any]:
        axis = f"{name}n must transform at least one axis"
        return [
            refused("Dimension specified as 0 but tensor has no dimensions", make(), dim=(0,)),
            refused("When given, dim and shape arguments must have the same length", make(3), (1, 2), (0,)),
            refused("FFT dims must be unique", make(3), dim=(0, 0)),
            refused("Invalid number of data points (-2) specified", make(3), (-2,), (0,)),
            *([] if name.endswith("ifft") or name == "fft" else [refused(axis, make(2, 3), dim=())]),
        ]

    def body(
        F: Any, input: Tensor, s: Shape | None = None, dim: Dims | None = default, norm: str | None = None
    ) -> Any:
        return transform(F, input, _listed(s), _listed(dim), norm, forward)

    words = {"dims": "two dims" if kind == "2" else "`dim`", "sizes": "`s`", "kind": kind}
    body.__doc__ = f"{summary.format(**words)}\n\nSmooth everywhere. {NORMS}"
    return composite(f"fft.{name}{kind}", samples=samples, refusals=refusals)(body)


fft2, ifft2, rfft2, irfft2, hfft2, ihfft2 = (_define(name, "2") for name in _ALONG_MANY)
fftn, ifftn, rfftn, irfftn, hfftn, ihfftn = (_define(name, "n") for name in _ALONG_MANY)
