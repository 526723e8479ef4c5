"""Random numbers that are torch's: the same seed gives the same values as `torch.manual_seed`.

torch's CPU generator is MT19937, seeded as `numpy.random.RandomState(seed)` is. A draw of its own is
32 bits, or two of them (the first one high) where 64 are needed; every value is a fixed function of
one or a few draws, so the stream is the contract: how many draws a call takes, and in which order.
The functions follow torch 2.13 on x86-64 (`aten/src/ATen/native/cpu/DistributionTemplates.h`,
`ATen/core/DistributionsHelper.h`), whose float32 normals come from the AVX2 kernel.

`strides`, where a method takes it, are the result's strides in elements (torch's `Tensor.stride()`);
values are drawn in memory order, so a transposed result holds other values than a contiguous one.
"""

from __future__ import annotations

import math
import operator
import secrets
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from engine.random.box_muller import BLOCK, normal_blocks, normal_pairs
from engine.random.mersenne import DEFAULT_SEED, State, Stream

__all__ = ["DEFAULT_SEED", "Generator", "State", "default_generator", "initial_seed", "manual_seed", "seed"]

_PART = 1 << 16  # numbers that are Python objects at a time
WIDE_RANGE = 1 << 28  # from here on, randint takes 64 bits for a value

Array = np.ndarray[Any, np.dtype[Any]]
DType = np.dtype[Any]
Shape = Sequence[int]

FLOAT32: DType = np.dtype(np.float32)
INT64: DType = np.dtype(np.int64)
REAL_OF_COMPLEX = {np.dtype(np.complex64): FLOAT32, np.dtype(np.complex128): np.dtype(np.float64)}
CPP_NAMES = {
    "bool": ("bool", "Bool"),
    "uint8": ("unsigned char", "Byte"),
    "int8": ("signed char", "Char"),
    "int16": ("short", "Short"),
    "int32": ("int", "Int"),
    "int64": ("long", "Long"),
    "complex64": ("c10::complex<float>", "ComplexFloat"),
    "complex128": ("c10::complex<double>", "ComplexDouble"),
}


class Generator(Stream):
    """A stream of random numbers equal to that of `torch.Generator()` with the same seed.

    Making one costs some 70 µs, `manual_seed` on it 2 µs. Not for use by two threads at a time.
    """

    def clone(self) -> Generator:
        """A generator of its own that goes on exactly as this one would."""
        return Generator().set_state(self.get_state())

    def rand(self, shape: Shape, dtype: DType = FLOAT32, *, strides: Shape | None = None) -> Array:
        """Uniform on [0, 1), of the given shape: `torch.rand`, and `rand_like` with its `strides`.

        float16 and float32 take 24 bits of one draw, float64 53 bits of two. A float16 that rounds
        to 1 becomes 0. Complex: both parts uniform, the real one first.
        """
        real = _real_dtype(dtype, "check_uniform_bounds")
        count = math.prod(shape) * (2 if dtype.kind == "c" else 1)
        flat = self.uniform(count, np.float64 if real == np.float64 else np.float32).astype(real, copy=False)
        if real == np.float16:
            flat[flat == 1] = 0
        return _shaped(flat.view(dtype), shape, strides)

    def randn(self, shape: Shape, dtype: DType = FLOAT32, *, strides: Shape | None = None) -> Array:
        """Standard normal, of the given shape: `torch.randn`, and `randn_like` with its `strides`.

        From 16 contiguous numbers on, torch transforms blocks of 8 + 8 uniforms in the dtype itself
        (float16: in float32) and draws the last 16 anew when they do not fill a block; below that,
        and always when not contiguous, it makes float64 pairs one by one. Complex: parts of variance 1/2.
        """
        real = _real_dtype(dtype, "normal_kernel_cpu")
        count = math.prod(shape) * (2 if dtype.kind == "c" else 1)
        if count >= BLOCK and _memory_axes(shape, strides) is None:
            flat = self._blocks(count, real)
        else:
            # torch rounds to float32 on the way to float16
            flat = self._pairs(count).astype(np.float32 if real == np.float16 else np.float64, copy=False)
        if dtype.kind == "c":
            flat *= flat.dtype.type(1 / math.sqrt(2))
        return _shaped(flat.astype(real, copy=False).view(dtype), shape, strides)

    def randint(
        self, low: int, high: int, shape: Shape, dtype: DType = INT64, *, strides: Shape | None = None
    ) -> Array:
        """Integers of low <= value < high, of the given shape: `torch.randint`, and `randint_like`.

        One draw modulo the range; two draws where the range is 2**28 or more. A float dtype must
        hold the bounds exactly (torch only warns). RuntimeError when low >= high or out of bounds.
        """
        low, high = operator.index(low), operator.index(high)
        check_bounds(low, high, dtype)
        span = np.uint64(high - low)
        wide = high - low >= WIDE_RANGE
        drawn = self.draws64(math.prod(shape)) if wide else self.draws32(math.prod(shape))
        values = (drawn % span + np.uint64(low % (1 << 64))).view(np.int64)
        return _shaped(values.astype(dtype, copy=False), shape, strides)

    def randperm(self, n: int, dtype: DType = INT64) -> Array:
        """The integers 0 … n-1 in random order, shape (n,): `torch.randperm`, a forward Fisher-Yates."""
        if n < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
        order = np.arange(n, dtype=np.int64)
        places = order.data  # as quick as a list, a fifth of its bytes
        for start in range(0, n - 1, _PART):
            stop = min(start + _PART, n - 1)
            spans = np.arange(n - start, n - stop, -1, dtype=np.uint64)
            for here, offset in enumerate((self.draws32(stop - start) % spans).tolist(), start):
                there = here + offset
                places[here], places[there] = places[there], places[here]
        return order.astype(dtype, copy=False)

    def bernoulli(self, p: Array) -> Array:
        """1 with probability p, else 0, of p's shape and dtype, drawn in C order: `torch.bernoulli(p)`.

        One uniform per element: float64 for a float64 p, else float32. RuntimeError outside [0, 1].
        """
        if p.dtype.kind != "f":
            name = CPP_NAMES[p.dtype.name][1]
            part = "self" if p.dtype.kind == "c" else "p"
            raise NotImplementedError(f"\"bernoulli_tensor_cpu_{part}_\" not implemented for '{name}'")
        if not np.all((p >= 0) & (p <= 1)):
            raise RuntimeError("Expected p_in >= 0 && p_in <= 1 to be true, but got false.")
        uniform = self.uniform(p.size, np.float64 if p.dtype == np.float64 else np.float32)
        return (uniform.reshape(p.shape) < p).astype(p.dtype)

    def dropout_mask(self, shape: Shape, keep: float, *, strides: Shape | None = None) -> Array:
        """True with probability `keep`, of the given shape: what `x.bernoulli_(keep)` draws.

        `F.dropout(x, p)` is `x * (mask / keep).astype(x.dtype)` with keep = 1 - p and x's strides; for p
        of 0 or 1, and for an empty x, torch draws nothing. One float64 uniform per element, whatever
        the dtype. RuntimeError outside [0, 1].
        """
        if not 0 <= keep <= 1:
            raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={keep:g}")
        return _shaped(self.uniform(math.prod(shape), np.float64) < keep, shape, strides)

    def _blocks(self, count: int, dtype: DType) -> Array:
        """`count` >= 16 normals; the last 16 are drawn again where they are no whole block."""
        wide = np.float64 if dtype == np.float64 else np.float32
        whole = count // BLOCK * BLOCK
        # A float16 result is filled through a buffer of one block, so it draws no partial one.
        uniform = self.uniform(whole if dtype == np.float16 else count, wide)
        normals = np.empty(count, wide)
        normals[:whole] = normal_blocks(uniform[:whole])
        if whole < count:
            normals[-BLOCK:] = normal_blocks(self.uniform(BLOCK, wide))
        return normals

    def _pairs(self, count: int) -> Array:
        """`count` float64 normals, the waiting one first; what is left of the last pair waits."""
        waiting = [] if self.next_normal is None or count == 0 else [self.next_normal]
        made = normal_pairs(self.uniform((count - len(waiting) + 1) // 2 * 2, np.float64))
        normals = np.concatenate([waiting, made])
        if count:
            self.next_normal = float(normals[count]) if normals.size > count else None
        return normals[:count]


def _real_dtype(dtype: DType, kernel: str) -> DType:
    """The dtype of the numbers to fill; NotImplementedError, naming torch's `kernel`, for int and bool."""
    if dtype.kind not in "fc":
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{CPP_NAMES[dtype.name][1]}'")
    return REAL_OF_COMPLEX.get(dtype, dtype)


def check_bounds(low: int, high: int, dtype: DType) -> None:
    if not all(-(1 << 63) <= bound < 1 << 63 for bound in (low, high)):
        raise ValueError("Overflow when unpacking long long")
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    if dtype.kind == "c":
        raise RuntimeError("check_random_bounds handles only integral, floating-point and boolean types")
    for name, bound in (("from", low), ("to - 1", high - 1)):
        if dtype.kind == "f":
            digits = np.finfo(dtype).nmant + 1
            if abs(bound) > 1 << digits:
                raise RuntimeError(f"{name} is out of bounds [-(2^{digits}), 2^{digits}] of {dtype.name}")
        else:
            least, most = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
            if not least <= bound <= most:
                raise RuntimeError(f"{name} is out of bounds for {CPP_NAMES[dtype.name][0]}")


def _memory_axes(shape: Shape, strides: Shape | None) -> list[int] | None:
    """The axes from the slowest to the fastest in memory, or None when that is C order."""
    if strides is None:
        return None
    longer = [axis for axis, size in enumerate(shape) if size != 1]
    ordered = sorted(longer, key=lambda axis: -strides[axis])
    if ordered == longer:
        return None
    return ordered + [axis for axis, size in enumerate(shape) if size == 1]


def _shaped(flat: Array, shape: Shape, strides: Shape | None) -> Array:
    axes = _memory_axes(shape, strides)
    if axes is None:
        return flat.reshape(shape)
    return flat.reshape([shape[axis] for axis in axes]).transpose(np.argsort(axes))


@cache
def default_generator() -> Generator:
    """The process's one generator for calls that bring none, seeded by the operating system at first."""
    return Generator(secrets.randbits(64))


def manual_seed(seed: int) -> Generator:
    """Seed the default generator, and return it: `torch.manual_seed`."""
    return default_generator().manual_seed(int(seed))


def seed() -> int:
    """Seed the default generator from the operating system's entropy; the seed chosen."""
    return default_generator().seed()


def initial_seed() -> int:
    """The seed last given to the default generator, as an unsigned 64-bit number."""
    return default_generator().initial_seed()
