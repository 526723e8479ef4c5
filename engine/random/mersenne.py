"""torch's stream of random bits: MT19937, seeded as `numpy.random.RandomState(seed)` is."""

from __future__ import annotations

import operator
import secrets
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

__all__ = ["DEFAULT_SEED", "State", "Stream"]

DEFAULT_SEED = 67280421310721  # torch.Generator().initial_seed()

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class State:
    """All that the next draws of a `Generator` depend on; equal states give equal streams."""

    seed: int
    key: bytes
    position: int
    next_normal: float | None


class Stream:
    """The bits behind a `Generator`: draws of 32, and of 64 made of two, the first one high."""

    def __init__(self, seed: int = DEFAULT_SEED) -> None:
        self._bits = np.random.MT19937()
        self._seeding = np.random.RandomState(self._bits)
        self.manual_seed(seed)

    def manual_seed(self, seed: int) -> Self:
        """Start the stream of `seed` over. -2**63 <= seed < 2**64; a negative seed counts from 2**64.

        Only the low 32 bits choose the stream, as in torch. ValueError outside the range.
        """
        seed = operator.index(seed)
        if not -(1 << 63) <= seed < 1 << 64:
            raise ValueError("Overflow when unpacking long long")
        self._seed = seed % (1 << 64)
        self._seeding.seed(self._seed & 0xFFFFFFFF)
        # Box-Muller makes normals in pairs: the second one waits here, across calls and dtypes.
        self.next_normal: float | None = None
        return self

    def seed(self) -> int:
        """Seed from the operating system's entropy; the seed chosen, for `manual_seed`."""
        self.manual_seed(secrets.randbits(64))
        return self._seed

    def initial_seed(self) -> int:
        """The seed last given, as an unsigned 64-bit number."""
        return self._seed

    def get_state(self) -> State:
        """Where the stream stands; `set_state` of it repeats everything drawn from here on."""
        mersenne = self._bits.state["state"]
        return State(self._seed, mersenne["key"].tobytes(), int(mersenne["pos"]), self.next_normal)

    def set_state(self, state: State) -> Self:
        """Go to where `get_state` was called, on this generator or on any other."""
        key = np.frombuffer(state.key, np.uint32)
        self._bits.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": state.position}}
        self._seed = state.seed
        self.next_normal = state.next_normal
        return self

    def draws32(self, count: int) -> Array:
        """The next `count` draws, as uint64 numbers below 2**32."""
        return np.asarray(self._bits.random_raw(count))

    def draws64(self, count: int) -> Array:
        """`count` numbers of 64 bits, as uint64."""
        pairs = self.draws32(2 * count).reshape(count, 2)
        return np.asarray((pairs[:, 0] << np.uint64(32)) | pairs[:, 1])

    def uniform(self, count: int, dtype: type[np.floating[Any]]) -> Array:
        """`count` numbers on [0, 1): 24 bits of one draw for float32, 53 of two for float64."""
        digits = 53 if dtype == np.float64 else 24
        drawn = self.draws64(count) if dtype == np.float64 else self.draws32(count)
        return np.asarray((drawn & np.uint64((1 << digits) - 1)).astype(dtype) * dtype(2.0**-digits))
