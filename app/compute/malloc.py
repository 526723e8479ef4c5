"""What the C library's allocator does with freed memory."""

from __future__ import annotations

import contextlib
import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
LARGEST = 32 << 20  # bytes; glibc allows no more
KEPT = 128 << 20


def keep_pages() -> None:
    """Let the allocator keep what is freed, up to `KEPT`, instead of giving it back to the kernel: a large
    array's fresh pages take longer than copying it. Where the C library is another one, nothing happens."""
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(M_MMAP_THRESHOLD, LARGEST)
        library.mallopt(M_TRIM_THRESHOLD, KEPT)
