"""Memory that two processes map: what one has written there, the other reads, and the kernel copies nothing.

It is used again for each message: fresh pages cost many times what copying into old ones does.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import tempfile

KEPT = 32 << 20  # bytes that stay between messages: a million numbers in JSON take 20 MB
PAGE = 1 << 20


class Shared:
    """The memory under a file descriptor. One side writes, says how much, and leaves it alone until the other
    has read."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._mapped: mmap.mmap | None = None

    @classmethod
    def new(cls) -> Shared:
        """Memory that nobody else has yet."""
        with contextlib.suppress(AttributeError, OSError):  # where there is no such call, or it is forbidden
            return cls(os.memfd_create("gradwire"))
        with tempfile.TemporaryFile() as file:  # it has no name
            return cls(os.dup(file.fileno()))

    def room(self, size: int) -> memoryview:
        """`size` bytes to write to."""
        capacity = -(-max(size, 1) // PAGE) * PAGE
        if os.fstat(self.descriptor).st_size < capacity:  # the other side may have trimmed it
            os.ftruncate(self.descriptor, capacity)
        if self._mapped is None or capacity > len(self._mapped):
            self._mapped = mmap.mmap(self.descriptor, capacity)
        return memoryview(self._mapped)[:size]

    def content(self, size: int) -> memoryview:
        """The first `size` bytes, as the other side wrote them; not to be written to."""
        if self._mapped is None or size > len(self._mapped):
            capacity = os.fstat(self.descriptor).st_size
            self._mapped = mmap.mmap(self.descriptor, capacity, prot=mmap.PROT_READ)
        return memoryview(self._mapped)[:size]

    def trim(self) -> None:
        """Give back what is beyond `KEPT`, when neither side has a use for it."""
        if self._mapped is not None and len(self._mapped) > KEPT:
            os.ftruncate(self.descriptor, KEPT)
            self._mapped = None

    def close(self) -> None:
        """Give back this side's part; whoever still has a view of it keeps that."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self.descriptor, self._mapped = -1, None

    __del__ = close
