"""torch.fft: transforms along one, two or any dims, and their real and Hermitian kin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.define import composite
from engine.dtypes import COMPLEX, FLOAT, complex_of, float16, get_default_dtype
from engine.errors import DimError, DTypeError, RuntimeArgumentError
from engine.op import Op, refused, sample
from engine.signature import Tensor

_NAMES = {None: "backward", "backward": "backward", "forward": "forward", "ortho": "ortho"}


def normalization(norm: str | None, forward: bool) -> int:
    """torch's number of a `norm`, for a transform with e^-i (`forward`) or back."""
    if norm not in _NAMES:
        raise RuntimeArgumentError(f'Invalid normalization mode: "{norm}"', actual=norm)
    name = _NAMES[norm]
    if name == "ortho":
        return 1
    return 2 if (name == "forward") == forward else 0


def promoted(F: Any, input: Any, *, to_complex: bool) -> Any:
    """`input` in the dtype that is transformed."""
    dtype = input.meta.dtype
    if dtype is float16:
        raise DTypeError("Unsupported dtype Half", actual=dtype.name)
    wanted = dtype if dtype.category >= FLOAT else get_default_dtype()
    wanted = complex_of(wanted) if to_complex else wanted
    return input if wanted is dtype else F.to(input, wanted)


def dims(input: Any, shape: Sequence[int] | None, dim: Sequence[int] | None) -> tuple[list[int], list[int]]:
    """The dims along which to transform, from 0, and the sizes there; -1 is the tensor's own."""
    rank = input.meta.ndim
    if dim is None:
        if shape is not None and len(shape) > rank:
            raise RuntimeArgumentError(
                f"Got shape with {len(shape)} values but input tensor only has {rank} dimensions."
            )
        dims = list(range(rank if shape is None else len(shape)))
        dims = [rank - len(dims) + at for at in dims]
    else:
        dims = [wrapped(each, rank) for each in dim]
        if len(set(dims)) < len(dims):
            raise RuntimeArgumentError("FFT dims must be unique")
        if shape is not None and len(shape) != len(dims):
            raise RuntimeArgumentError("When given, dim and shape arguments must have the same length")
    sizes = [input.meta.shape[at] for at in dims]
    if shape is not None:
        sizes = [own if size == -1 else size for own, size in zip(sizes, shape, strict=True)]
    for size in sizes:
        check_points(size)
    return dims, sizes


def check_points(size: int) -> None:
    """Refuse a transform of no numbers."""
    if size < 1:
        raise RuntimeArgumentError(f"Invalid number of data points ({size}) specified", actual=size)


def wrapped(dim: int, rank: int) -> int:
    """`dim` from 0."""
    if not rank:
        raise DimError(f"Dimension specified as {dim} but tensor has no dimensions")
    if not -rank <= dim < rank:
        raise DimError(
            f"Dimension out of range (expected to be in range of [{-rank}, {rank - 1}], but got {dim})"
        )
    return dim % rank


def resized(F: Any, input: Any, dims: Sequence[int], sizes: Sequence[int]) -> Any:
    """`input` cut, or lengthened with zeros, to `sizes` along `dims`."""
    pad = [0] * input.meta.ndim
    for at, size in zip(dims, sizes, strict=True):
        own = input.meta.shape[at]
        if own > size:
            input = F.slice(input, at, 0, size)
        pad[at] = max(size - own, 0)
    return F._zeros_behind(input, tuple(pad)) if any(pad) else input


def _real(input: Any, name: str) -> None:
    if input.meta.dtype.category == COMPLEX:
        kind = "real-valued" if name.endswith(("n", "2")) else "real"
        raise DTypeError(f"{name} expects a {kind} input tensor, but got {input.meta.dtype.title}")


def _to_complex(F: Any, input: Any, n: Any, dim: int, norm: Any, forward: bool) -> Any:
    """fft and ifft."""
    input = promoted(F, input, to_complex=False)
    at = wrapped(dim, input.meta.ndim)
    size = input.meta.shape[at] if n is None else n
    check_points(size)
    input = resized(F, input, [at], [size])
    number = normalization(norm, forward)
    if input.meta.dtype.category == COMPLEX:
        return F._fft_c2c(input, (at,), number, forward)
    found = F._fft_r2c(input, (at,), number, False)
    return found if forward else F.conj(found)


def _to_half(F: Any, input: Any, n: Any, dim: int, norm: Any, forward: bool) -> Any:
    """rfft and ihfft."""
    _real(input, "rfft" if forward else "ihfft")
    input = promoted(F, input, to_complex=False)
    at = wrapped(dim, input.meta.ndim)
    size = input.meta.shape[at] if n is None else n
    check_points(size)
    found = F._fft_r2c(resized(F, input, [at], [size]), (at,), normalization(norm, forward), True)
    return found if forward else F.conj(found)


def _to_real(F: Any, input: Any, n: Any, dim: int, norm: Any, forward: bool) -> Any:
    """hfft and irfft."""
    input = promoted(F, input, to_complex=True)
    at = wrapped(dim, input.meta.ndim)
    size = 2 * (input.meta.shape[at] - 1) if n is None else n
    check_points(size)
    if n is not None:
        input = resized(F, input, [at], [size // 2 + 1])
    input = F.conj(input) if forward else input
    return F._fft_c2r(input, (at,), normalization(norm, forward), size)


_ALONG_ONE = {
    "fft": (_to_complex, True, "The discrete Fourier transform along `dim`, of `n` elements."),
    "ifft": (_to_complex, False, "The inverse of `fft`."),
    "rfft": (_to_half, True, "The first half of the transform of a real tensor, n // 2 + 1 elements."),
    "irfft": (_to_real, False, "The inverse of `rfft`: `n` real elements, 2 * (size - 1) if None."),
    "hfft": (_to_real, True, "The transform of a Hermitian signal, given as its first half: real."),
    "ihfft": (_to_half, False, "The inverse of `hfft`: half of a Hermitian signal."),
}
NORMS = (
    '`norm`: "forward" divides the transform by n, "ortho" by its root, "backward" (None) the inverse by n.'
)


def _define(name: str) -> Op:
    transform, forward, summary = _ALONG_ONE[name]
    real = name in ("rfft", "ihfft")

    def samples(make: Any) -> list[Any]:
        def made(*shape: int) -> Any:
            return make(*shape) if real else make(*shape) + 1j * make(*shape)

        return [
            sample(made(2, 4)),
            sample(make(3, 5), 4, 0, "ortho"),
            sample(made(3, 3), 6, norm="forward"),
            sample(made(3), 2),
            sample(make.ints(4)),
        ]

    def refusals(make: Any) -> list[Any]:
        real_only = f"{name} expects a real input tensor, but got ComplexDouble"
        return [
            refused("Dimension specified as -1 but tensor has no dimensions", make()),
            refused("Invalid number of data points (0) specified", make(3), 0),
            refused('Invalid normalization mode: "x"', make(3), norm="x"),
            refused("Dimension out of range (expected to be in range of [-1, 0], but got 2)", make(3), 3, 2),
            *([refused(real_only, make(3) + 1j)] if real else []),
        ]

    def body(F: Any, input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
        return transform(F, input, n, dim, norm, forward)

    body.__doc__ = f"{summary}\n\nSmooth everywhere. {NORMS}"
    return composite(f"fft.{name}", samples=samples, refusals=refusals)(body)


fft, ifft, rfft, irfft, hfft, ihfft = map(_define, _ALONG_ONE)
